"""One test for each row of docs/fault-model.md, "Sources of difference that are no faults": what
the program sees of the source, and that two runs agree on it, with flips and without. Then the same
rows with the closure taken out of the kernel (open_closures/*.patch): where the source varies on
this emulator, the runs must be seen to differ, or else the closure may have closed nothing.

Other rows have tests of their own: RDRAND in second_run_test, preemption and the search's trap flag
in time_limit_test and stepping_test, processes and interrupts in scheduling_test and input_test.
"""

import os
import re
import shutil
import subprocess

from boot import TOP, BootTest, long_test

SEEN = {
    "time-stamp": r"closures: time-stamp never back, \d+ MHz",
    "counters": r"closures: counters fault",
    "tables": r"closures: tables (fault|are constant)",
    "cpuid": r"closures: cpuid constant, RDRAND (told|hidden)",
    "constants": r"closures: constants: lsl lar verr verw( xgetbv)?( xsave)?( rdpid)?",
    "privileged": r"closures: privileged all fault",
    "selectors": r"closures: selectors 1 to 3 are null",
    "flags": r"closures: flags without TF and RF",
    "bases": r"closures: bases (kept|of the kernel alone)",
}

# Closure taken out -> the program that shows it. Init reads the time stamp and ports itself when it
# looks how fast the clocks run: it shows these two before there is any program.
VARIES_HERE = {
    "time-stamp": ["closures", "time-stamp"],
    "selectors": ["closures", "selectors"],
    "trap-flag": ["closures", "flags"],
    "extended-state": ["vectors"],
    "ports": ["devices", "moving"],
    "device-memory": ["devices", "moving", "memory"],
}
SEEN_BY_INIT = {"time-stamp", "ports"}
GRANTS = "grant=devices:port:40-43,devices:mmio:fed00000"


class Rows(BootTest):
    def assert_closed(self, row, args="", flips=False, **settings):
        outcome = self.boot([["closures", row]], args, **settings)
        self.assert_clean(outcome)
        self.assertRegex(outcome.program_output(), f"(?m)^{SEEN[row]}$")
        if not flips:
            self.assert_no_mismatch(outcome)
        return outcome

    def test_rdtsc_and_rdtscp_end_the_pe_and_read_a_clock_that_never_goes_back(self):
        outcome = self.assert_closed("time-stamp")
        self.assertGreaterEqual(outcome.events("ends")[0].number("exception"), 50)
        rate = int(re.search(r"(\d+) MHz", outcome.program_output()).group(1))
        self.assertAlmostEqual(rate, 1000, delta=10, msg="with -icount a tick is a nanosecond")

    def test_rdpmc_faults(self):
        self.assert_closed("counters")

    def test_descriptor_tables_cannot_be_read_with_umip_and_are_constant_without(self):
        for cpu, seen in (("max", "fault"), ("max,-umip", "are constant")):
            with self.subTest(cpu=cpu):
                outcome = self.assert_closed("tables", cpu=cpu)
                self.assertIn(f"closures: tables {seen}\n", outcome.program_output())

    def test_cpuid_tells_the_same_every_time(self):
        self.assert_closed("cpuid")

    def test_segment_limits_xgetbv_and_xsave_read_constants(self):
        self.assert_closed("constants")

    def test_doors_to_ring_0_and_features_that_are_off_fault(self):
        self.assert_closed("privileged")

    def test_null_selectors_compare_as_one_whatever_an_iret_made_of_them(self):
        self.assert_closed("selectors")

    def test_trap_and_resume_flag_never_show(self):
        outcome = self.assert_closed("flags")
        self.assertGreater(outcome.events("convergence")[0].number("converged"), 0)

    def test_bases_of_fs_and_gs_are_compared_and_restored(self):
        self.assert_closed("bases")

    def test_ports_and_device_memory_that_read_otherwise_each_time_are_read_once(self):
        for program in (["devices", "moving"], ["devices", "moving", "memory"]):
            with self.subTest(program=program):
                outcome = self.boot([program], GRANTS)
                self.assert_clean(outcome)
                self.assertEqual(outcome.program_output(), "moving: done\n")
                self.assert_no_mismatch(outcome)

    def test_every_row_stays_closed_while_bits_flip(self):
        for number, row in enumerate(SEEN):
            with self.subTest(row=row):
                outcome = self.assert_closed(row, f"inject.seed={number + 1} inject.rate=4",
                                             flips=True)
                flips = outcome.events("flip")
                self.assertTrue(flips)
                self.assertEqual({flip["outcome"] for flip in flips} - {"caught", "died-out",
                                                                       "no-target"}, set())

    def test_rows_are_closed_without_a_counter_too(self):
        for row in ("flags", "constants"):
            with self.subTest(row=row):
                self.assert_closed(row, "pe.limit=50", flips=True, counter="landmark")


class OpenClosures(BootTest):
    """Builds the kernel again for each patch, in a copy of the tree."""

    def build_kernel(self, tree):
        build = self.scratch / "build"
        if not build.exists():
            self.command(["cmake", "--preset", "kernel", "-B", build], tree)
        self.command(["cmake", "--build", build, "--target", "kernel", "-j", "2"], tree)
        return build / "bin" / "kernel.elf"

    def command(self, words, cwd):
        environment = {k: v for k, v in os.environ.items() if k != "REPRISE_BUILD"}
        done = subprocess.run([str(word) for word in words], cwd=cwd, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])

    @long_test
    def test_a_closure_that_is_taken_out_is_seen_as_a_mismatch(self):
        tree = self.scratch / "tree"
        shutil.copytree(TOP, tree, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
        patches = {path.stem: path for path in (TOP / "tests/qemu/open_closures").glob("*.patch")}
        self.assertEqual(set(patches), set(VARIES_HERE))
        for name, program in VARIES_HERE.items():
            with self.subTest(closure=name):
                apply = ["patch", "-p1", "--no-backup-if-mismatch", "-i", patches[name]]
                self.command(apply, tree)
                kernel = self.build_kernel(tree)
                outcome = self.boot([program], GRANTS if program[0] == "devices" else "",
                                    contents={"kernel": kernel})
                if name in SEEN_BY_INIT:
                    ended, = outcome.events("init-ended")
                    self.assertEqual(ended.number("status"), 135, "stopped by a mismatch")
                else:
                    verdicts, = outcome.events("verdicts")
                    self.assertGreater(verdicts.number("mismatches"), 0, verdicts)
                self.command([*apply, "-R"], tree)
