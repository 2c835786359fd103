"""Lists the boot tests for ctest, or runs those that are named.

    run_tests.py --list                      FILE.CLASS.FUNCTION|LABELS|COST|NAME, one a line
    run_tests.py FILE.CLASS.FUNCTION ...     runs them; the console of a failed one is shown
"""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))


def all_tests(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from all_tests(item)
        else:
            yield item


def list_tests():
    """A test's name is its function's, read as a sentence, behind its file's."""
    for test in all_tests(unittest.defaultTestLoader.discover(HERE, "*_test.py", HERE)):
        if isinstance(test, unittest.loader._FailedTest):
            test.debug()
        area = type(test).__module__.removesuffix("_test")
        function = getattr(test, test._testMethodName)
        sentence = test._testMethodName.removeprefix("test_").replace("_", " ")
        labels = ",".join(("qemu", *getattr(function, "labels", ())))
        print(f"{test.id()}|{labels}|{test.cost}|boot {area}: {sentence}")


class ShowingResult(unittest.TextTestResult):
    """Shows what the machine said when a test fails."""

    def _show(self, test):
        for console in getattr(test, "consoles", []):
            lines = console.splitlines()
            print(f"--- console, {len(lines)} lines, the last 150 ---")
            print("\n".join(lines[-150:]))
            print("--- end of console ---", flush=True)

    def addFailure(self, test, err):
        self._show(test)
        super().addFailure(test, err)

    def addError(self, test, err):
        self._show(test)
        super().addError(test, err)


def main():
    if sys.argv[1:] == ["--list"]:
        list_tests()
        return 0
    suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
    result = unittest.TextTestRunner(resultclass=ShowingResult, verbosity=2).run(suite)
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
