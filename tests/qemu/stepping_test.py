"""Breakpoints, single steps and the counter's stop of a search belong to one run of one process. No
program and no other process sees them."""

import re
import subprocess

from boot import BootTest, native
from reprise import image, tree

KERNEL_BASE = 0xffffffff80000000  # kernel/base/memory_map.hpp


class Stepping(BootTest):
    def test_a_program_that_steps_itself_gets_every_trap_of_its_own(self):
        # From its tenth round on, after searches at the same addresses (their breakpoints' numbers
        # stay in the debug registers).
        for counter in ("icount", "landmark"):
            outcome = self.boot([["selfstep"]], "pe.limit=50", counter=counter)
            self.assert_clean(outcome)
            self.assertGreater(outcome.events("convergence")[0].number("limited"), 0)
            self.assertEqual(outcome.program_output(), "selfstep: traps 124 odd 0 others 0\n")

    def test_a_stop_that_one_process_did_not_come_to_stops_no_other(self):
        spin = image.Program(native("spin"), ["spin", "count"], "spin")
        outcome = self.boot([["calls"], spin], "harden=calls inject=calls:50:2:rax:1:at=50000 "
                            "stop.after=100ms", counter="icount")
        self.assert_clean(outcome)
        self.assertEqual([flip["outcome"] for flip in outcome.events("flip")], ["no-target"])
        self.assertEqual(outcome.events("exception"), [])
        self.assertEqual(outcome.exit_event("spin")["stopped"], "yes")

    def test_a_flip_at_the_largest_offset_there_is_never_comes_and_hinders_nothing(self):
        outcome = self.boot([["compute", "300000"]], "inject=compute:10:1:rax:5:at="
                            "18446744073709551615", counter="icount")
        self.assert_clean(outcome)
        self.assertEqual([flip["outcome"] for flip in outcome.events("flip")], ["no-target"])

    def test_a_time_limit_at_a_jump_into_the_kernel_arms_no_breakpoint_there(self):
        symbols = subprocess.run(["nm", tree.kernel()], capture_output=True, text=True,
                                 check=True).stdout
        entry, = re.findall(r"^(\w+) T enter_user$", symbols, re.MULTILINE)
        offset = int(entry, 16) - KERNEL_BASE
        # The limit is 10,000 instructions, less those from its arming to ring 3: the lengths lie on
        # both sides of that, and do so when the kernel becomes quicker.
        # With SMAP QEMU 7.2 has the IRET of a program fault at the program's own stack.
        for counter in ("icount", "landmark"):
            outcome = self.boot([["kerneljump", offset, 9500, 9990]], "pe.limit=10",
                                counter=counter, cpu="max,-smap")
            self.assert_clean(outcome)
            self.assertEqual(outcome.program_output(), "kerneljump: 490 faults\n")
            self.assertGreater(outcome.events("convergence")[0].number("limited"), 50)

    def test_a_wrong_candidate_leaves_the_state_that_no_image_holds_as_it_is(self):
        for counter in ("icount", "landmark"):
            outcome = self.boot([["limits", "x87"]], "stop.after=300ms", counter=counter)
            self.assert_clean(outcome)
            verdicts, = outcome.events("verdicts")
            self.assertEqual(verdicts.number("mismatches"), 0)
            convergence, = outcome.events("convergence")
            self.assertGreater(convergence.number("candidates"), convergence.number("converged"))
