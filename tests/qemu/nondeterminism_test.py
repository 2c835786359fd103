"""One test for each row of docs/fault-model.md, "Sources of difference that are no faults": what
the program sees of the source, and that two runs agree on it, with flips and without. Then the same
rows with the protection taken out of the kernel (open_nondeterminism/*.patch): where the source
varies on this emulator, the runs must be seen to differ. Otherwise it may protect nothing.

Other rows have tests of their own: RDRAND in second_run_test, preemption and the search's trap flag
in time_limit_test and stepping_test, processes and interrupts in scheduling_test and input_test.
"""

import re
import sys

from boot import TOP, BootTest, image, long_test, native
from changed_tree import ChangedTree
from guests import GuestTest

sys.path.insert(0, str(TOP / "tests" / "guest"))
import small_guest  # noqa: E402

OPEN = TOP / "tests/qemu/open_nondeterminism"

SEEN = {
    "time-stamp": r"nondeterminism: time-stamp never back, \d+ MHz",
    "counters": r"nondeterminism: counters fault",
    "tables": r"nondeterminism: tables (fault|are constant)",
    "cpuid": r"nondeterminism: cpuid constant, RDRAND (told|hidden)",
    "constants": r"nondeterminism: constants: lsl lar verr verw( xgetbv)?( xsave)?( rdpid)?",
    "privileged": r"nondeterminism: privileged all fault",
    "selectors": r"nondeterminism: selectors 1 to 3 are null",
    "flags": r"nondeterminism: flags without TF and RF",
    "bases": r"nondeterminism: bases (kept|of the kernel alone)",
}

# Protection taken out -> the program that shows it. Init reads time stamp and ports itself when it
# looks how fast the clocks run: it shows these two before there is any program.
VARIES_HERE = {
    "time-stamp": ["nondeterminism", "time-stamp"],
    "selectors": ["nondeterminism", "selectors"],
    "trap-flag": ["nondeterminism", "flags"],
    "extended-state": ["vectors"],
    "ports": ["devices", "moving"],
    "device-memory": ["devices", "moving", "memory"],
}
SEEN_BY_INIT = {"time-stamp", "ports"}
VARIES_ON_BOCHS = {"guest-resume-flag"}  # bochs_test.py
# Protection of guests taken out -> the part of the small guest that shows it, and its rounds. The
# page of a part that sees the accessed bits is write-protected again when it has stayed clean.
VARIES_IN_GUESTS = {"guest-time-stamp": ("stops", 10), "guest-table-bits": ("table_bits", 200)}
GRANTS = "grant=devices:port:40-43,devices:mmio:fed00000"


class Rows(BootTest):
    """Rows share a boot, each as a process of the row's name."""

    def boot_rows(self, rows, args="", **settings):
        program = native("nondeterminism")
        programs = [image.Program(program, ["nondeterminism", row], row) for row in rows]
        outcome = self.boot(programs, args, **settings)
        self.assert_clean(outcome)
        lines = outcome.program_output().splitlines()
        for row in rows:
            with self.subTest(row=row):
                seen = [line for line in lines if re.fullmatch(SEEN[row], line)]
                self.assertEqual(len(seen), 1, lines)
        return outcome

    def event_of(self, outcome, name, process):
        event, = [event for event in outcome.events(name) if event["process"] == process]
        return event

    def test_rdtsc_and_rdtscp_end_the_pe_and_read_a_clock_that_never_goes_back(self):
        outcome = self.boot_rows(["time-stamp"])
        self.assert_no_mismatch(outcome)
        self.assertGreaterEqual(outcome.events("ends")[0].number("exception"), 50)
        rate = int(re.search(r"(\d+) MHz", outcome.program_output()).group(1))
        self.assertAlmostEqual(rate, 1000, delta=10, msg="with -icount a tick is a nanosecond")

    def test_every_row_is_closed(self):
        outcome = self.boot_rows(SEEN)
        self.assert_no_mismatch(outcome)
        self.assertEqual({event["process"] for event in outcome.events("verdicts")}, set(SEEN))
        self.assertIn("nondeterminism: tables fault\n", outcome.program_output())
        # Else the trap flag of a search would have had no occasion to show.
        self.assertGreater(self.event_of(outcome, "convergence", "flags").number("converged"), 0)

    def test_descriptor_tables_are_constant_without_umip(self):
        outcome = self.boot_rows(["tables"], cpu="max,-umip")
        self.assert_no_mismatch(outcome)
        self.assertIn("nondeterminism: tables are constant\n", outcome.program_output())

    def test_ports_and_device_memory_that_read_otherwise_each_time_are_read_once(self):
        programs = [image.Program(native("devices"), ["devices", "moving", *more], name)
                    for name, more in (("ports", []), ("memory", ["memory"]))]
        outcome = self.boot(programs, "grant=ports:port:40-43,memory:mmio:fed00000", pit=True)
        self.assert_clean(outcome)
        self.assertEqual(outcome.program_output(), "moving: done\n" * 2)
        self.assert_no_mismatch(outcome)

    def test_every_row_stays_closed_while_bits_flip(self):
        outcome = self.boot_rows(SEEN, "inject.seed=1 inject.rate=4")
        flips = outcome.events("flip")
        self.assertEqual({flip["outcome"] for flip in flips} - {"caught", "died-out", "no-target"},
                         set())
        hit = {flip["process"] for flip in flips}
        self.assertEqual(set(SEEN) - hit, set(), "rows that no flip has hit")

    def test_rows_are_closed_without_a_counter_too(self):
        self.boot_rows(["flags", "constants"], "pe.limit=50", counter="landmark")


class OpenNondeterminism(GuestTest):
    """Builds the kernel again for each patch, in a copy of the tree."""

    def test_each_patch_belongs_to_a_test_and_applies(self):
        expected = {*VARIES_HERE, *VARIES_IN_GUESTS, *VARIES_ON_BOCHS}
        self.assertEqual({path.stem for path in OPEN.glob("*.patch")}, expected)
        tree = ChangedTree(self.scratch)
        for patch in (TOP / "tests/qemu").glob("*/*.patch"):
            with self.subTest(patch.name):
                tree.check(patch)

    @long_test
    def test_a_protection_that_is_taken_out_is_seen_as_a_mismatch(self):
        tree = ChangedTree(self.scratch)
        for name, program in VARIES_HERE.items():
            with self.subTest(protection=name):
                kernel = tree.kernel(OPEN / f"{name}.patch")
                outcome = self.boot([program], GRANTS if program[0] == "devices" else "",
                                    contents={"kernel": kernel}, pit=True)
                if name in SEEN_BY_INIT:
                    ended, = outcome.events("init-ended")
                    self.assertEqual(ended.number("status"), 135, "stopped by a mismatch")
                else:
                    verdicts, = outcome.events("verdicts")
                    self.assertGreater(verdicts.number("mismatches"), 0, verdicts)

    @long_test
    def test_a_protection_of_guests_that_is_taken_out_is_seen_as_a_mismatch(self):
        tree = ChangedTree(self.scratch)
        for name, (part, rounds) in VARIES_IN_GUESTS.items():
            with self.subTest(protection=name):
                guest = small_guest.write(self.scratch, part, rounds)
                outcome = self.boot_guest(guest)
                self.assert_clean(outcome)
                self.assertEqual(self.report(outcome, "verdicts").number("mismatches"), 0)
                outcome = self.boot_guest(guest, contents={"kernel": tree.kernel(OPEN / f"{name}.patch")})
                self.assertGreater(self.report(outcome, "verdicts").number("mismatches"), 0)
