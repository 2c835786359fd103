#!/usr/bin/python3
"""Runs the test cases that one file of a Catch2 program has, and writes a JUnit report of them.

    run_cases.py PROGRAM FILE REPORT

FILE is the name of the source without folder and suffix. When a case fails, all are run again, now
for a reader. A crash leaves no report.
"""

import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path


def cases_in(report):
    try:
        return list(xml.parse(report).getroot().iter("testcase"))
    except (OSError, xml.ParseError):
        return []


def main():
    program, file, report = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    cases = [program, "--filenames-as-tags", f"[#{file}]"]
    status = subprocess.run([*cases, "--reporter", "junit", "--out", report], check=False,
                            capture_output=True).returncode
    if not cases_in(report):
        report.unlink(missing_ok=True)
    if status != 0:
        subprocess.run(cases, check=False)
        return 1
    if not report.exists():
        print(f"{program} has no test case in {file}.cpp")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
