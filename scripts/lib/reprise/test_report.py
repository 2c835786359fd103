"""Which test cases passed and which failed, from the JUnit reports of ctest and of the programs it ran."""

import xml.etree.ElementTree as xml


def outcomes(report, cases):
    """The names of the cases that passed and of those that failed. `report` is ctest's; the folder
    `cases` may have a report for a test, of the cases that it consists of."""
    passed, failed = [], []
    for test in xml.parse(report).getroot().iter("testcase"):
        more_passed, more_failed = _outcomes_of(test, cases)
        passed += more_passed
        failed += more_failed
    return passed, failed


def _outcomes_of(test, cases):
    name, outcome = test.get("name"), test.get("status")
    if outcome not in ("run", "fail", "notrun"):
        return [], []
    passed, failed = [], []
    report = cases / f"{name}.xml"
    for case in xml.parse(report).getroot().iter("testcase") if report.exists() else ():
        wrong = case.find("failure") is not None or case.find("error") is not None
        (failed if wrong else passed).append(f"{name}: {case.get('name')}")
    if outcome == "run":
        return passed or [name], failed
    # What ends the program fails the test, whatever its cases say: a leak, for example.
    return passed, failed or [name]
