"""How scripts/test counts: the cases of a Catch2 program one by one, and no failure is lost."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "lib"))

import listed  # noqa: E402
from reprise import test_report  # noqa: E402

GOOD, BAD = '<testcase name="good"/>', '<testcase name="bad"><failure/></testcase>'


class Count(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)

    def run_program(self, body):
        """What run_cases.py makes of a program: its status, what it says, its report."""
        program, report = self.top / "program", self.top / "cases" / "area: file.xml"
        program.write_text(f"#!/bin/bash\n{body}\n")
        program.chmod(0o755)
        ran = subprocess.run([sys.executable, "-B", TOP / "tests/run_cases.py", program, "file", report],
                             capture_output=True, text=True)
        return ran, report

    def outcomes(self, status):
        report = self.top / "ctest.xml"
        report.write_text(f'<testsuite><testcase name="area: file" status="{status}"/></testsuite>')
        return test_report.outcomes(report, self.top / "cases")

    # A program gets: --filenames-as-tags [#file] --reporter junit --out REPORT
    def test_each_case_counts(self):
        ran, report = self.run_program(f"test $2 = '[#file]' && echo '<a>{GOOD}{GOOD}</a>' > \"$6\"")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertTrue(report.exists())
        self.assertEqual(self.outcomes("run"), (["area: file: good"] * 2, []))

    def test_a_case_that_fails_is_named_and_its_fellows_pass(self):
        ran, _ = self.run_program(f"test $3 || echo for a reader; echo '<a>{GOOD}{BAD}</a>' > \"$6\"; exit 1")
        self.assertEqual(ran.returncode, 1)
        self.assertEqual(ran.stdout, "for a reader\n")
        self.assertEqual(self.outcomes("fail"), (["area: file: good"], ["area: file: bad"]))

    def test_a_crash_fails_whatever_was_written(self):
        for written in ("", "<a><testca"):
            ran, report = self.run_program(f"test \"$6\" && printf '{written}' > \"$6\"; kill -SEGV $$")
            self.assertEqual(ran.returncode, 1)
            self.assertFalse(report.exists())
            self.assertEqual(self.outcomes("fail"), ([], ["area: file"]))

    def test_a_program_that_fails_at_its_end_fails_though_all_cases_passed(self):
        ran, _ = self.run_program(f"echo '<a>{GOOD}</a>' > \"$6\"; exit 1")
        self.assertEqual(ran.returncode, 1)
        self.assertEqual(self.outcomes("fail"), (["area: file: good"], ["area: file"]))

    def test_a_file_without_cases_fails(self):
        ran, report = self.run_program("test \"$6\" && echo '<a></a>' > \"$6\"")
        self.assertEqual(ran.returncode, 1)
        self.assertFalse(report.exists())
        self.assertIn("no test case in file.cpp", ran.stdout)

    def test_a_test_without_a_report_is_one_case_and_a_disabled_one_none(self):
        self.assertEqual(self.outcomes("run"), (["area: file"], []))
        self.assertEqual(self.outcomes("notrun"), ([], ["area: file"]))
        self.assertEqual(self.outcomes("disabled"), ([], []))


if __name__ == "__main__":
    listed.main()
