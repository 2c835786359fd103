"""scripts/campaign: what its report says of series together. No machine is booted here."""

import collections
import subprocess
import unittest
import unittest.mock

import listed
from campaign_parts import ELEMENTS, Scratch
from reprise.campaign import analysis, description, outcome, page, symbols


class Together(Scratch):
    """What series say together, from results that are written here."""

    CAMPAIGN = """
confidence = 0.99
[programs.victim]
command = ["victim"]
[[series]]
name = "in"
program = "victim"
injector = "inner"
targets = "registers"
[[series]]
name = "out"
program = "victim"
injector = "outer"
targets = "registers"
[[series]]
name = "once"
program = "victim"
injector = "outer"
targets = "registers"
hardened = false
"""
    GOLDEN = {"elements": ELEMENTS}

    def setUp(self):
        super().setUp()
        self.campaign = description.parse(self.CAMPAIGN)

    def faults(self, *told):
        """Rows of results, of (count, fault, class, details)."""
        rows = [row for count, *row in told for _ in range(count)]
        return [(number, *row) for number, row in enumerate(rows)]

    def results(self, outer_detected):
        rax, flag, trap = ({"target": target, "bit": bit, "pe": 3, "run": 1, "moment": "at=4000"}
                           for target, bit in (("rax", 3), ("rflags", 0), ("rflags", 9)))
        return {"in": self.faults((900, rax, outcome.RECOVERED, {"restarts": 1}), (100, flag, outcome.MASKED, {}),
                                  (50, rax, outcome.NOT_ACTIVATED, {})),
                "out": self.faults((outer_detected, rax, outcome.EXCEPTION_RECOVERED, {"ring": 3, "took": 70, "restarts": 2}),
                                   (100 - outer_detected, rax, outcome.MASKED, {"ring": 3}),
                                   (30, rax, outcome.KERNEL_FAILURE, {"ring": 0, "said": True}), (40, trap, outcome.SDC, {"ring": 3})),
                "once": self.faults((20, rax, outcome.SDC, {"ring": 3}), (80, rax, outcome.MASKED, {"ring": 0}))}

    def test_faults_that_the_promise_covers_are_apart_from_the_others(self):
        found = analysis.groups(self.campaign, self.results(90))
        self.assertEqual([(group.injector, group.hardened, group.ring, group.promised, group.struck) for group in found],
                         [("inner", True, "3", True, 1000), ("outer", True, "3", True, 140),
                          ("outer", False, analysis.ANYWHERE, False, 100), ("outer", True, "0", False, 30)])
        self.assertEqual([group.said for group in found], [0, 0, 0, 30])
        told = found[1].as_json(0.99)
        self.assertEqual((told["sdc"]["count"], told["failures"]["count"], told["failures"]["of"]), (40, 40, 140))

    def test_control_registers_are_not_promised(self):
        for targets, promised in (("vector", True), ("pages", True), ("snapshot", True), ("control", False),
                                  ("kernel", False), ("page-tables", False)):
            self.assertEqual(analysis.Group(True, "outer", targets, "single", "3").promised, promised)

    def test_injectors_agree_where_their_intervals_overlap(self):
        for detected, agree in ((88, True), (70, False), (99, False)):
            row, = analysis.agreement(self.campaign, self.results(detected), 0.99)
            # The trap flag is beyond the inner injector, and ring 0 too.
            self.assertEqual((row["inner"]["count"], row["inner"]["of"], row["outer"]["count"], row["outer"]["of"]),
                             (900, 1000, detected, 100))
            self.assertEqual(row["agree"], agree)

    def test_the_page_says_nothing_of_a_promise_that_no_fault_has_tried(self):
        tried = analysis.Group(True, "outer", "registers", "single", "3", counts=collections.Counter({outcome.MASKED: 5})).as_json
        self.assertEqual(page._promise([tried(0.99) | {"promised": False}], 0.99), "none were injected.")
        self.assertIn("<b>5</b> faults struck them", page._promise([tried(0.99)], 0.99))

    def test_a_latency_ends_with_the_second_run(self):
        until, more = analysis.latencies(self.campaign, self.results(90), {"in": self.GOLDEN})
        # Element 3 has 5000 instructions: 1000 are left of the first run, and then the second comes.
        self.assertEqual((set(until), set(more)), ({6000}, {70}))
        self.assertEqual(analysis._most({"run": 2, "moment": "at=4000"}, ELEMENTS[2]), 1000)
        self.assertEqual([analysis._most({"run": run, "moment": "end"}, ELEMENTS[2]) for run in (1, 2)], [5000, 0])
        self.assertEqual(analysis.percentiles(range(1, 202))[50], 101)

    def test_absolute_failures_are_summed_over_programs_that_ran_once_and_twice(self):
        def series(program, hardened, sdc, all_of_them):
            figures = [{"count": n, "absolute": 10 * n, "absolute_low": 9 * n, "absolute_high": 12 * n} for n in (sdc, all_of_them)]
            return {"injector": "outer", "targets": "memory", "model": "single", "program": program, "hardened": hardened, "done": 9,
                    "classes": {outcome.SDC: figures[0]}, "failing": figures[1]}
        row, = analysis.absolutes([series("a", False, 5, 8), series("a", True, 0, 1), series("b", False, 7, 7),
                                   series("b", True, 1, 2), series("c", False, 100, 100)])
        self.assertEqual((row["programs"], row["once_sdc"]["absolute"], row["twice_failures"]["absolute_high"]), (2, 120, 36))

    def test_a_struck_instruction_has_a_name(self):
        source, program = self.scratch / "it.c", self.scratch / "it"
        source.write_text("int wanted(int a) { return a * 77; }\nint main(void) { return wanted(1); }\n")
        subprocess.run(["cc", "-O1", "-fcf-protection=none", "-fno-inline", "-no-pie", source, "-o", program], check=True)
        rows = subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout.splitlines()
        address, = (int(row.split()[0], 16) for row in rows if row.endswith(" wanted"))
        function, instruction = symbols.place(3, address, [str(program)])
        self.assertEqual(function, "wanted")
        self.assertIn("0x4d", instruction)
        for name, expected in (("void a::b<c::D<e>>(f<g>, int*) const", "a::b"), ("(anonymous namespace)::h(int)", "h"),
                               ("k(int) [clone .isra.0]", "k"), ("_start", "_start"), ("x::y(void (*)(int))", "x::y")):
            self.assertEqual(symbols.plain(name), expected)
        self.assertEqual(symbols.place(3, address, ["no-such-program"])[0], f"no-such-program: {address:#x}")

    def test_memory_outside_the_kernels_file_is_told_apart_by_who_reads_it(self):
        place = {"ring": 3, "rip": 0x401000}
        fault = {"target": "memory", "address": 0x200000, "bit": 3}
        code = self.scratch / "kernel.elf"
        assembly = self.scratch / "kernel.s"
        assembly.write_text(".globl copier\n.globl other\ncopier: nop\nother: nop\n")
        subprocess.run(["as", assembly, "-o", self.scratch / "kernel.o"], check=True)
        subprocess.run(["ld", "-e", "copier", "-Ttext=0xffffffff80100000", self.scratch / "kernel.o", "-o", code], check=True)
        with unittest.mock.patch("reprise.tree.kernel", lambda: code), unittest.mock.patch(
                "reprise.campaign.symbols.kernel_word", lambda address: None):
            found = [analysis.origin(description.Program(["none"]), fault, {**place, **more})["object"]
                     for more in ({"used_by": 0xffffffff80100000}, {"used_by": 0x401000}, {})]
        self.assertEqual(found, ["read by copier", "read by ring 3", "not the kernel's file"])

    def test_failures_are_summed_by_what_was_hit(self):
        def failure(what, **more):
            return {"outcome": what, "function": "f", "ring": 0, "target": "rax", **more}
        made = [{"targets": "registers", "hardened": True, "failures": [failure(outcome.SDC), failure(outcome.SDC), failure(
            outcome.CRASH, function="g"), failure(outcome.INJECTOR_FAILED)]},
                {"targets": "memory", "hardened": True, "failures": [failure(outcome.HANG, target="memory", object="table")]}]
        self.assertEqual([(row["targets"], row["ring"], row["place"], row["counts"]) for row in analysis.sources(made)],
                         [("memory", analysis.ANYWHERE, "table", {outcome.HANG: 1}), ("registers", "0", "f", {outcome.SDC: 2}),
                          ("registers", "0", "g", {outcome.CRASH: 1})])


if __name__ == "__main__":
    listed.main()
