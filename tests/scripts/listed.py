"""Lists the tests of a file for ctest, or runs those that are named."""

import sys
import unittest


def _all_tests(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _all_tests(item)
        else:
            yield item


def long_test(function):
    """Marks a test that only `scripts/test --long` runs."""
    function.labels = ("long",)
    return function


def main():
    """With --list: `CLASS.FUNCTION|LABELS|NAME`, one a line. A name is the function's, read as a
    sentence."""
    if sys.argv[1:] != ["--list"]:
        unittest.main(verbosity=2)
        return
    for test in _all_tests(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])):
        sentence = test._testMethodName.removeprefix("test_").replace("_", " ")
        labels = getattr(getattr(test, test._testMethodName), "labels", ())
        labels = ",".join(("host", *labels))
        print(f"{type(test).__name__}.{test._testMethodName}|{labels}|{sentence}")
