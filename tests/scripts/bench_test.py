"""scripts/bench: what it makes of a machine's report, of files that are not its own, and one real measurement."""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "lib"))

import listed  # noqa: E402
from reprise import machine  # noqa: E402
from reprise.bench import cases, figures, guest, plots, shares, tables  # noqa: E402

CASE = cases.Case("group", "name", (["compute", "5"],))
TIMES = ("reprise: times process=compute load_ns=10 first_run_ns=400 fault_ns=20 rewind_ns=30 flush_ns=0 "
         "second_run_ns=400 convergence_ns=40 compare_commit_ns=100 longest_pe_ns=77 overhead_percent=250\n")
PAGES = "reprise: modified-pages process=compute " + " ".join(f"{key}=1" for key in figures.BUCKETS) + "\n"
COSTS = "reprise: page-costs process=compute " + " ".join(f"{key}=2" for key in figures.COSTS) + "\n"
PREDICTION = "reprise: prediction process=compute hits=3 misses=1 woken=0\n"


def outcome(mismatches=0, value=machine.CLEAN, time=6000):
    verdicts = f"reprise: verdicts process=compute pes=10 mismatches={mismatches}\n"
    other = "reprise: verdicts process=screen pes=7 mismatches=0\n"  # a driver, which no case is about
    end = f"reprise: shutdown programs=1 time_ns={time}\n"
    return machine.Outcome(value, 33, False, TIMES + PAGES + COSTS + PREDICTION + verdicts + other + end, "", 1.0)


class Guest(unittest.TestCase):
    def test_a_boots_figures_become_a_row_each(self):
        row = guest.Row("boot", pes={"guest": 4000, "monitor": 900}, total=620, second_run=200, hardened=3_000_000_000,
                        once=1_200_000_000, ends={end: 5 * place for place, end in enumerate(guest.ENDS)})
        self.assertEqual((row.overhead, row.ratio), (3.1, 2.5))
        with mock.patch.object(guest.linux_guest, "kernel", return_value=Path("vmlinuz-1")):
            lines = guest.table([row, row])
        self.assertEqual(lines[0], "| vmlinuz-1 | boot | boot |")
        for line in ("| PEs of the guest | 4,000 | 4,000 |", "| of them ended by: time-limit | 15 | 15 |",
                     "| machine's time, hardened | 3.00 s | 3.00 s |", "| ratio | 2.50 | 2.50 |"):
            self.assertIn(line, lines)


class Bench(unittest.TestCase):
    def measured(self, *results, case=CASE):
        """`results`: of the boots, one after the other."""
        programs = [figures._program(case.programs[0])]
        with mock.patch.object(figures, "_boot", side_effect=[(programs, result) for result in results]):
            return figures.measure(case)

    def test_overhead_is_all_phases_in_percent_of_the_second_run(self):
        figure = self.measured(outcome())
        self.assertEqual(figure.error, "")
        self.assertEqual((figure.pes, figure.total, figure.longest_pe), (10, 1000, 77))
        self.assertEqual(figure.overhead, 250)
        self.assertEqual(figure.beyond_twice, 20)

    def test_a_mismatch_or_a_bad_end_gives_no_figures(self):
        self.assertIn("2 mismatches", self.measured(outcome(mismatches=2)).error)
        self.assertIn("status", self.measured(outcome(value=machine.PROGRAM_FAILED)).error)

    def test_a_program_that_prints_something_else_than_here_gives_no_figures(self):
        case = cases.Case("group", "name", (["/bin/echo", "other"],), as_on_host=True)
        self.assertIn("printed something else", self.measured(outcome(), case=case).error)

    def test_copies_are_counted_for_each_modified_page_and_pe(self):
        self.assertEqual(self.measured(outcome()).copies_per_page, (2 + 2) / (3 + 1))

    def test_a_boot_with_a_second_run_is_compared_with_one_without(self):
        case = cases.Case("group", "name", (["compute", "5"],), against_once=True)
        self.assertEqual(self.measured(outcome(time=6000), outcome(time=2500), case=case).against_once, 2.4)
        failed = self.measured(outcome(), outcome(value=machine.PROGRAM_FAILED), case=case)
        self.assertIn("status", failed.error)

    def test_rotate_stands_beside_classic_in_one_row_and_all_workloads_in_the_last(self):
        def one(name, policy, copies, faults):
            return figures.Figure(cases.COPIES, f"{name}: {policy}", "", series=policy, pes=10, costs={
                "copies": copies, "fault_copies": 0, "write_faults": faults}, prediction={"hits": 99, "misses": 1})

        found = [one("a", "rotate", 101, 1), one("a", "classic", 300, 100),
                 one("b", "rotate", 103, 9), one("b", "classic", 300, 100), one("c", "rotate", 100, 1)]
        table, = tables.tables(found)
        self.assertEqual(table.rows, [("a", "10", "1.010", "3.000", "1", "100", "1.0 %"),
                                      ("b", "10", "1.030", "3.000", "9", "100", "9.0 %"),
                                      ("all", "", "1.020", "", "10", "200", "5.0 %")])
        text = tables.markdown([table])
        self.assertIn("| a | 10 | 1.010 |", text)
        self.assertIn('scripts/bench --filter "copies and write faults"', text)

    def test_each_pe_of_the_case_comes_from_the_second_serial_port(self):
        started = machine.Outcome(0, 0, False, "reprise: started process=compute pid=3\n"
                                               "reprise: started process=screen pid=2\n", "", 1.0)
        lines = ["reprise-timeline 2", "p 3 1 0 99 end 0 0 0 0 0 4 1 0 1", "a committed 1 10 2 3 4 10 5 6",
                 "p 2 1 0 99 end 0 0 0 0 0 9 1 0 1", "a committed 9 9 9 9 9 9 9 9",  # a driver
                 "p 3 2 0 99 end 0 0 0 0 0 6 1 1 2", "a mismatch 1 1 1 1 1 1 1 1", "a committed 1 20 2 3 4 20 5 6"]
        self.assertEqual(figures._elements(lines, started, {"compute"}), [[41, 10, 4], [69, 21, 2]])

    def test_a_second_serial_port_that_disagrees_with_the_report_gives_no_figures(self):
        case = cases.Case("group", "name", (["compute", "5"],), timeline=True)

        def boot(case, folder, more=""):
            (folder / figures.PORT).write_text("reprise-timeline 2\n", encoding="utf-8")
            return [figures._program(case.programs[0])], outcome()

        with mock.patch.object(figures, "_boot", side_effect=boot):
            self.assertIn("told of 0 PEs", figures.measure(case).error)

    def test_percentiles_are_of_the_pes(self):
        self.assertEqual(tables.percentiles([7]), [7] * len(tables.PERCENTILES))
        self.assertEqual(tables.percentiles(list(range(101))), list(tables.PERCENTILES))
        figure = figures.Figure(cases.DISTRIBUTION, "a", "", elements=[[200, 100, 1], [600, 100, 1], [300, 100, 5]])
        (*_, least, _, middle, _, _, most), pages = tables.tables([figure])[0].rows
        self.assertEqual((least, middle, most), ("200 %", "300 %", "600 %"))
        self.assertEqual((pages[3], pages[5], pages[8]), ("1", "1", "5"))

    def test_the_papers_pies_have_what_is_known_and_ours_have_every_phase(self):
        phases = {phase: 10 * (place + 1) for place, phase in enumerate(figures.PHASES)}
        ends = dict.fromkeys(figures.ENDS, 0) | {"system-call": 1}
        found = [figures.Figure(cases.FLUSHES, f"{cases.START_UP}, flush={flush}", f"'flush={flush}'", pes=1, phases=phases,
                                costs=dict.fromkeys(figures.COSTS, 0), ends=ends) for flush in shares.FLUSHES]
        paper, paper_flushed, ours, *_ = shares.pies(found)
        for pie, overhead in ((paper, 527), (paper_flushed, 3400)):
            self.assertEqual(set(pie.parts), {"second run", "not stated"})
            self.assertEqual(pie.overhead, overhead)
        self.assertEqual((ours.total, ours.parts["second run"]), (sum(phases.values()), phases["second_run"]))
        self.assertAlmostEqual(sum(ours.percent(part) for part in shares.PARTS), 100)
        self.assertEqual(len(shares.pies(found)), 2 + 3 * 3)
        self.assertEqual(shares.pies(found[:0]), [])
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(len(plots.draw(found, Path(folder))), 1)

    def test_results_come_back_from_a_file_and_compare_as_equal(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.json"
            figures.write_json([self.measured(outcome())], path, "abc")
            lines = figures.comparison(figures.read_json(path), figures.read_json(path))
        self.assertTrue(any("+0.00%" in line for line in lines), lines)

    def test_a_file_of_another_kind_or_format_is_refused_by_name(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "other.json"
            for content in ("no json", "{}", json.dumps({"format": 99, "figures": []})):
                path.write_text(content, encoding="utf-8")
                self.assertRaisesRegex(figures.FormatError, "other.json", figures.read_json, path)

    def test_second_runs_use_each_line_that_a_program_reads_over_and_over(self):
        reads_all = cases.Case("x", "chase", (["chase", "60", "500"],), "flush=touched pe.limit=200")
        figure = figures.measure(reads_all)
        self.assertEqual(figure.error, "")
        self.assertTrue(0.9 < figure.read_again < 1.1, figure.read_again)

    def test_one_case_is_measured_and_drawn(self):
        with tempfile.TemporaryDirectory() as folder:
            ran = subprocess.run([TOP / "scripts" / "bench", "--filter", "workloads: integers in registers", "--out", folder],
                                 capture_output=True, text=True)
            self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
            overhead, = re.findall(r"integers in registers +\d+ +([\d.]+) ", ran.stdout)
            self.assertTrue(200 < float(overhead) <= 203, overhead)  # the project's aim
            self.assertEqual(float(overhead), round(figures.read_json(Path(folder) / "bench.json")[0].overhead, 1))
            self.assertIn("integers in registers", (Path(folder) / "bench.md").read_text(encoding="utf-8"))
            self.assertIn("<svg", (Path(folder) / "bench.html").read_text(encoding="utf-8"))
            for name in ("phases", "model"):
                self.assertTrue((Path(folder) / f"{name}.png").read_bytes().startswith(b"\x89PNG"))
            self.assertIn("integers in registers", (Path(folder) / "model.csv").read_text(encoding="utf-8"))


if __name__ == "__main__":
    listed.main()
