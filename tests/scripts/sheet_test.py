"""scripts/bench --read: a sheet comes back as figures; what is wrong with one is said by line."""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "lib"))

import listed  # noqa: E402
from reprise.bench import cases, figures, machine_report, model, sheet  # noqa: E402

HEAD = ["reprise format 1 unit kilocycles", "cpu 0x506e3 hypervisor no Some CPU @ 4.00GHz", "clock kHz 4000000 by acpi timer "
        "24000 by cpuid", "counter pmu-intel margin 402 tolerance 0 skid 199 interrupt 0 fault 0",
        "machine KiB 8000000 wait-ns 300000 pe-ns 400000"]
# status mismatches pes limited calls, the phases, steps faults copies fault-copies compares flushed
INTEGERS = "2x integers 0 0 100 90 8 100 20000 5 60 3 20000 4000 120 9000 20 40 14 54 0"
PING = "2x ping 0 0 30 0 30 10 1000 5 6 0 900 0 12 0 8 30 8 38 0"
PONG = "2x pong 0 0 20 0 20 10 1000 5 6 0 900 0 12 0 8 30 8 38 0"
ONCE = "1x integers.1 0 300 19000 other.1 0 5 60"


def printed(*texts, end=True):
    """As the machine prints them."""
    def line(number, text):
        return f"sheet {number:02} {text} #{sheet.check_of(f'{number:02} {text}'):04x}"

    lines = [line(number, text) for number, text in enumerate(texts, 1)]
    if end:
        checks = "".join(text[-4:] for text in lines)
        lines.append(line(len(lines) + 1, f"end {len(lines) + 1} all {sheet.check_of(checks):04x}"))
    return lines


WHOLE = printed(*HEAD, INTEGERS, PING, PONG, ONCE)


def parsed(lines, ends="\r\n"):
    return sheet.parse(ends.join(lines) + ends, "com1.log")


def complaint(lines):
    try:
        parsed(lines)
    except sheet.SheetError as error:
        return str(error)
    return "no complaint"


def bench_figure(name, **changes):
    """As scripts/bench measures it in QEMU."""
    figure = sheet.figures_of(parsed(WHOLE))[0]
    ends = figure.ends | {"time-limit": 720}
    return figures.Figure(cases.MACHINE, name, "scripts/run", pes=730, phases=figure.phases, costs=figure.costs, steps=2880,
                          ends=ends, **changes)


class Reading(unittest.TestCase):
    def test_a_sheet_becomes_figures_in_cycles(self):
        found = parsed(WHOLE)
        self.assertEqual((found.cpu, found.hypervisor, found.kilohertz, found.counter, found.margin, found.skid),
                         ("Some CPU @ 4.00GHz", False, 4_000_000, "pmu-intel", 402, 199))
        integers, messages = sheet.figures_of(found)
        self.assertEqual((integers.name, integers.pes, integers.second_run, integers.steps, integers.error),
                         ("integers in registers", 100, 20_000_000, 9000, ""))
        self.assertAlmostEqual(integers.overhead, 100 * (100 + 20000 + 5 + 60 + 3 + 20000 + 4000 + 120) / 20000)
        self.assertEqual(integers.ends["time-limit"], 90)
        self.assertEqual((messages.name, messages.pes, messages.second_run), ("messages: ask and answer", 50, 1_800_000))
        self.assertEqual(sheet.once_of(found), {"integers in registers": 19_000_000})

    def test_other_text_around_the_lines_does_no_harm(self):
        log = ["GNU GRUB", *WHOLE[:2], "300 300", *(f"[12:00:01] {line}" for line in WHOLE[2:]), "reprise: shutdown programs=3"]
        self.assertEqual(len(parsed(log).twice), 3)

    def test_a_typed_sheet_may_have_other_blanks_and_capitals_in_checks(self):
        typed = ["  " + re.sub(r"#(\w+)$", lambda match: "  # " + match[1].upper(), line).replace(" 0 ", "  0 ")
                 for line in WHOLE]
        self.assertEqual(len(parsed(typed, "\n").twice), 3)

    def test_a_line_that_came_twice_counts_once_and_of_two_sheets_the_last_is_read(self):
        self.assertEqual(len(parsed([*WHOLE[:6], *WHOLE[5:]]).twice), 3)
        other = printed(*HEAD, INTEGERS)
        self.assertEqual(len(parsed([*WHOLE, *other]).twice), 1)

    def test_a_wrong_character_is_found_in_its_line(self):
        wrong = [line.replace("20000", "20800", 1) for line in WHOLE]
        self.assertIn("com1.log, line 6: sheet line 06 is not as the machine printed it", complaint(wrong))
        self.assertEqual(complaint(wrong).count("\n"), 0)
        both = [line.replace("1000 5", "1000 S") for line in WHOLE]
        self.assertRegex(complaint(both), r"(?s)sheet line 07 .*sheet line 08 ")

    def test_a_line_without_its_check_is_found(self):
        cut = [WHOLE[0], WHOLE[1][:-3], *WHOLE[2:]]
        self.assertIn("com1.log, line 2: 'sheet 02 cpu", complaint(cut))

    def test_missing_lines_are_named(self):
        self.assertIn("sheet line 07 is missing before line 08", complaint([*WHOLE[:6], *WHOLE[7:]]))
        self.assertIn("sheet lines 03 to 05 are missing", complaint([*WHOLE[:2], *WHOLE[5:]]))
        self.assertIn("sheet line 01 is missing", complaint(WHOLE[1:]))
        self.assertIn("last line is missing", complaint(WHOLE[:-1]))
        self.assertIn("out of order", complaint([*WHOLE[:2], WHOLE[3], WHOLE[2], *WHOLE[4:]]))

    def test_lines_of_two_boots_do_not_go_together(self):
        other = printed(*HEAD, INTEGERS.replace("20000", "20001"), PING, PONG, ONCE)
        self.assertIn("not of one boot", complaint([*WHOLE[:5], other[5], *WHOLE[6:]]))

    def test_a_foreign_file_and_another_format_are_refused(self):
        self.assertIn("com1.log has no sheet", complaint(["reprise: boot log=1", "a sheet of paper", ""]))
        self.assertIn("format 2, not 1", complaint(printed(HEAD[0].replace("format 1", "format 2"), *HEAD[1:])))
        self.assertIn("does not have 19 numbers", complaint(printed(*HEAD, INTEGERS + " 7")))

    def test_a_program_that_failed_gives_no_figures(self):
        failed = sheet.figures_of(parsed(printed(*HEAD, INTEGERS.replace("integers 0 0", "integers 1 0"),
                                                 PING.replace("ping 0 0", "ping 0 2"), PONG)))
        self.assertEqual([figure.error for figure in failed], ["integers ended with status 1", "2 mismatches in ping"])


class Report(unittest.TestCase):
    def test_the_prediction_stands_beside_the_measured_overhead(self):
        found, once = sheet.figures_of(parsed(WHOLE)), sheet.once_of(parsed(WHOLE))
        bench = [bench_figure("integers in registers")]
        overhead = machine_report.tables_of(found, once, bench)[0]
        row = dict(zip(overhead.heads, overhead.rows[0], strict=True))
        self.assertEqual((row["overhead"], row["against once"]), ("221.4 %", f"{44288 / 19000:.2f}"))
        (middle, low, high), _ = model.rows(bench)[0][1]
        self.assertEqual(row[f"predicted, {model.CPUS[0].name}"],
                         f"{middle:,.0f} % ({low:,.0f}-{high:,.0f}): {machine_report.verdict(221.44, low, high)}")
        self.assertEqual(overhead.rows[1][-1], "-")  # QEMU has not measured this case, so the model predicts nothing
        self.assertEqual([machine_report.verdict(value, 2, 3) for value in (1, 2, 3, 4)],
                         ["below", "within", "within", "above"])

    def test_terms_are_taken_out_of_the_cases_that_show_them(self):
        def row(name, rewind, compare, copies, search=0, steps=0):
            return f"2x {name} 0 0 100 100 0 30 9000 0 {rewind} 0 9000 {search} {compare} {steps} 0 {copies} 0 {copies} 0"

        found = sheet.figures_of(parsed(printed(*HEAD, row("p0", 60, 90, 0, search=4000, steps=2000), row("p10", 360, 490, 1000),
                                                row("p60", 1860, 2490, 6000))))
        terms = machine_report.tables_of(found, {}, [])[1]
        measured = {name: value for name, value, *_ in terms.rows}
        self.assertEqual(measured["steps of a search (a count)"], "20")
        self.assertEqual(measured["a step"], "2,000")
        self.assertEqual(measured["copy of a page"], "300")
        self.assertEqual(measured["comparison of a page"], "400")
        self.assertEqual(measured["registers loaded for both runs"], "300")
        self.assertNotIn("flush=all, for each PE", measured)

    def read(self, folder, lines, *arguments):
        log = Path(folder) / "com1.log"
        log.write_text("\n".join(lines), encoding="utf-8")
        return subprocess.run([TOP / "scripts" / "bench", "--read", log, "--out", folder, *arguments],
                              capture_output=True, text=True)

    def test_the_command_writes_tables_plots_and_a_page(self):
        with tempfile.TemporaryDirectory() as folder:
            predictions = Path(folder) / "bench.json"
            figures.write_json([bench_figure("integers in registers")], predictions, "abc")
            ran = self.read(folder, WHOLE, "--model", predictions)
            self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
            self.assertIn("Some CPU @ 4.00GHz", ran.stdout)
            content = json.loads((Path(folder) / "machine.json").read_text(encoding="utf-8"))
            self.assertIn("cycles of the time stamp", content["clock"])
            self.assertEqual(set(content["predicted_overhead_percent"]), {"integers in registers"})
            page = (Path(folder) / "machine.html").read_text(encoding="utf-8")
            self.assertIn(WHOLE[5], page)
            self.assertEqual(page.count("<svg"), 2)
            self.assertIn("221.4 %", (Path(folder) / "machine_overhead.csv").read_text(encoding="utf-8"))

    def test_the_command_says_which_line_is_wrong_and_what_it_cannot_predict(self):
        with tempfile.TemporaryDirectory() as folder:
            ran = self.read(folder, [line.replace("4000", "4008") for line in WHOLE])
            self.assertEqual(ran.returncode, 1)
            self.assertIn("sheet line 06", ran.stdout + ran.stderr)
            self.assertNotIn("Traceback", ran.stderr)
            ran = self.read(folder, WHOLE, "--model", Path(folder) / "none.json")
            self.assertEqual(ran.returncode, 0, ran.stderr)
            self.assertIn('scripts/bench --filter "real machine" first', ran.stdout + ran.stderr)


if __name__ == "__main__":
    listed.main()
