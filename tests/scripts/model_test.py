"""The model of scripts/bench: a PE computed by hand, what must grow with what, and files that it cannot use."""

import dataclasses
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "lib"))

import listed  # noqa: E402
from reprise.bench import cases, figures, model  # noqa: E402

PHASES = {"load": 100, "first_run": 10_000, "fault": 500, "rewind": 700, "flush": 10, "second_run": 10_000,
          "convergence": 0, "compare_commit": 1_000}
COSTS = dict.fromkeys(figures.COSTS, 0) | {"copies": 1, "compares": 1, "write_faults": 1, "fault_copies": 1}
ONE = figures.Figure("group", "name", "scripts/run compute", pes=1, phases=PHASES, costs=COSTS,
                     ends=dict.fromkeys(figures.ENDS, 0) | {"system-call": 1})
BY_THE_LIMIT = dict.fromkeys(figures.ENDS, 0) | {"time-limit": 1}

# Round numbers, so that a person can add them up.
ROUND = model.Cpu("round", 1.0, model.Cost(10, ""), {
    "work": model.Cost(1, ""), "kernel": model.Cost(2, ""), "call": model.Cost(10, ""), "trap": model.Cost(100, ""),
    "return": model.Cost(50, ""), "write MSR": model.Cost(10, ""), "read MSR": model.Cost(5, ""),
    "save": model.Cost(30, ""), "restore": model.Cost(40, ""), "debug register": model.Cost(1, ""),
    "load CR3": model.Cost(20, ""), "refill": model.Cost(1, ""), "INVLPG": model.Cost(15, ""),
    "copy": model.Cost(300, ""), "compare": model.Cost(400, ""), "flush line": model.Cost(3, ""),
    "flush fence": model.Cost(70, ""), "reread line": model.Cost(4, ""), "flush all": model.Cost(5_000, ""), "reread all": model.Cost(600, "")})


def changed(**changes):
    return dataclasses.replace(ONE, **changes)


def costs(**changes):
    return changed(costs=COSTS | changes)


def flushed(policy, **changes):
    return changed(group=cases.POLICIES, name=f"x, flush={policy}", series="x", command=f"--append 'flush={policy}'",
                   **changes)


class Model(unittest.TestCase):
    def total(self, figure, cpu=ROUND, factor=1.0):
        return model.predicted(figure, cpu, factor).total

    def test_a_pe_is_the_sum_that_a_person_gets(self):
        stint = 50 + 3 * 10 + 2 * 5              # IRET, three MSRs written, two read
        self.assertEqual(model.predicted(ONE, ROUND).phases, {
            "load": 100 * 2 + 2 * 10 + 2 * 40,   # two runs: timer, registers
            "first_run": 10_000 + stint + 10,
            "fault": (500 - 420) * 2 + 300 + 100 + stint + 15,
            "rewind": (700 - 256) * 2 + 300 + 30 + 20 + 16,
            "flush": 10 * 2,
            "second_run": 10_000 + stint + 10,
            "convergence": 0,
            "compare_commit": (1_000 - 512) * 2 + 400 + 30 + 20 + 16})

    def test_a_second_copy_of_a_page_belongs_to_the_commit(self):
        once, twice = model.predicted(ONE, ROUND).phases, model.predicted(costs(copies=2), ROUND).phases
        self.assertEqual(twice["rewind"], once["rewind"])
        self.assertEqual(twice["compare_commit"] - once["compare_commit"], 300 - 256 * 2)

    def test_each_event_more_costs_more(self):
        for name, longer in {"write faults": costs(write_faults=2), "flushed pages": costs(flushed_pages=1),
                             "an exception instead of a call": changed(ends=ONE.ends | {"system-call": 0, "exception": 1}),
                             "work": changed(phases=PHASES | {"second_run": 10_001})}.items():
            for cpu in (ROUND, *model.CPUS):
                self.assertGreater(self.total(longer, cpu), self.total(ONE, cpu), f"{name} on {cpu.name}")

    def test_a_flushed_page_is_64_lines_in_two_phases(self):
        before, after = model.predicted(ONE, ROUND).phases, model.predicted(costs(flushed_pages=2), ROUND).phases
        self.assertEqual(after["flush"] - before["flush"], 2 * 64 * 3)
        self.assertEqual(after["second_run"] - before["second_run"], 2 * 64 * 4)

    def test_a_flush_has_one_fence_in_each_pe_and_only_lines_that_are_used_again_are_read_again(self):
        none, touched = flushed("none"), flushed("touched", costs=COSTS | {"flushed_pages": 2}, read_again=0.25)
        before, after = model.predicted(none, ROUND).phases, model.predicted(touched, ROUND).phases
        self.assertEqual(after["flush"] - before["flush"], 2 * 64 * 3 + 70)
        self.assertEqual(after["second_run"] - before["second_run"], 2 * 16 * 4)
        more = dataclasses.replace(touched, read_again=1.5)  # lines of pages that were not flushed, too
        self.assertEqual(model.predicted(more, ROUND).phases["second_run"] - before["second_run"], 2 * 64 * 4)

    def test_the_instructions_of_a_step_are_those_that_qemu_counted(self):
        searched = changed(ends=BY_THE_LIMIT, steps=4, phases=PHASES | {"convergence": 800})
        step = 200 * 2 + 100 + (50 + 3 * 10 + 2 * 5) + 2 * 1
        self.assertEqual(model.predicted(searched, ROUND).phases["convergence"], 10 * step)

    def test_a_faster_cpu_needs_fewer_pes_that_the_limit_ends_for_the_same_work(self):
        fast = dataclasses.replace(ROUND, gigahertz=3.0)
        self.assertEqual(model.pe_count(changed(pes=10, ends=ONE.ends | {"time-limit": 9}), fast), (3, 1))
        before = model.predicted(changed(ends=BY_THE_LIMIT), ROUND).phases
        after = model.predicted(changed(ends=BY_THE_LIMIT), fast).phases
        self.assertAlmostEqual(after["rewind"], before["rewind"] / 3)
        self.assertAlmostEqual(after["first_run"] - 10_000, (before["first_run"] - 10_000) / 3)
        self.assertEqual(after["fault"], before["fault"])

    def test_flush_costs_are_ratios_to_none_and_wbinvd_shows(self):
        touched = flushed("touched", costs=COSTS | {"flushed_pages": 1})
        ratios = model.flush_ratios([flushed("none"), touched, flushed("all")], ROUND)
        self.assertEqual(ratios["x, flush=none"], 1)
        self.assertEqual(ratios["x, flush=touched"], 1 + (64 * (3 + 4) + 70) / self.total(ONE))
        self.assertEqual(ratios["x, flush=all"], 1 + (5_000 + 600) / self.total(ONE))

    def test_estimates_are_scaled_and_what_has_a_source_is_not(self):
        guessed = dataclasses.replace(ROUND, costs=ROUND.costs | {"copy": model.Cost(300, "", estimate=True)})
        self.assertEqual(self.total(ONE, guessed, 2) - self.total(ONE, guessed), 2 * 300)
        self.assertEqual(self.total(ONE, ROUND, 2), self.total(ONE, ROUND))

    def test_every_event_has_a_cost_with_a_source_on_each_cpu(self):
        for cpu in model.CPUS:
            self.assertEqual(set(cpu.costs), set(model.EVENTS), cpu.name)
            for event, cost in (cpu.costs | {"steps": cpu.steps}).items():
                self.assertTrue(cost.cycles > 0 and cost.source, f"{event} on {cpu.name}")

    def test_the_table_has_each_case_beside_the_papers_figures(self):
        text = "\n".join(model.table([flushed("none"), changed(error="did not end", ends={}, phases={})]))
        for expected in ("x, flush=none", "527 %", "3,400 %", *(cpu.name for cpu in model.CPUS)):
            self.assertIn(expected, text)
        self.assertNotIn("nan", text)

    def test_a_file_that_does_not_say_enough_is_refused_by_name(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "old.json"
            old = dataclasses.asdict(changed(ends={}))
            for content, complaint in (("no json", "old.json is no bench.json"), ("[]", "old.json is no bench.json"),
                                       (json.dumps({"format": figures.FORMAT, "figures": [old]}), "measure again")):
                path.write_text(content, encoding="utf-8")
                ran = subprocess.run([TOP / "scripts" / "bench", "--model", path], capture_output=True, text=True)
                self.assertEqual(ran.returncode, 1, content)
                self.assertIn(complaint, ran.stdout + ran.stderr)
                self.assertNotIn("Traceback", ran.stderr)


if __name__ == "__main__":
    listed.main()
