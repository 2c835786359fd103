"""The test guest (tests/guest): all that is hard to virtualise, with the same checksums as on a plain machine."""

import re
import sys

import plain_machine
from boot import LONG, TOP, BootTest
from guests import GuestTest
from reprise import guest, tree

sys.path.insert(0, str(TOP / "tests" / "guest"))
import small_guest  # noqa: E402

# At least these; the guest says more.
PARTS = {"flags", "faults", "user_faults", "halt", "shadows", "priority", "syscalls", "fresh_stacks", "copy_on_write", "double_fault",
         "strings", "self_modifying", "single_steps", "breakpoints", "compute", "vectors"}
# Words: arch/user_state.hpp, FXSAVE's image, arch/guest_state.hpp.
GENERAL_REGISTERS, EXTENDED_REGISTERS, GUEST_REGISTERS = 18, 64, 47
ENDS = ("system-call", "exception", "exit", "page-budget", "out-of-frames", "time-limit")


def verdicts(text):
    """Part and the rest of its line."""
    return dict(re.findall(r"^part (\w+) (.*)$", text, re.MULTILINE))


class PlainMachine(BootTest):
    def test_every_part_finds_what_it_expects_on_each_kind_of_cpu(self):
        texts = set()
        for cpu in ("qemu64", "qemu64,+svm,+npt", "max"):
            with self.subTest(cpu):
                ran = plain_machine.run(plain_machine.test_guest(), cpu=cpu)
                self.assertEqual(ran.status, 0, ran.text)
                self.assertTrue(ran.text.endswith("test guest: end\n"), ran.text)
                found = verdicts(ran.text)
                self.assertLessEqual(PARTS, set(found))
                for part, verdict in found.items():
                    self.assertRegex(verdict, r"^ok [0-9A-F]{8}$", part)
                texts.add(ran.text)
        self.assertEqual(len(texts), 1)

    def test_one_part_alone_or_all_others_can_be_chosen(self):
        everything = verdicts(plain_machine.run(plain_machine.test_guest()).text)
        alone = plain_machine.run(plain_machine.test_guest(self.scratch, "compute"))
        self.assertEqual(set(verdicts(alone.text)), {"compute"})
        others = plain_machine.run(plain_machine.test_guest(self.scratch, "-compute"))
        self.assertEqual(set(verdicts(others.text)), set(everything) - {"compute"})
        self.assertEqual((alone.status, others.status), (0, 0))


class Guest(GuestTest):
    cost = 20

    def setUp(self):
        super().setUp()
        self.kernel = plain_machine.test_guest()
        self.plain = plain_machine.run(self.kernel).text

    def assert_as_plain(self, outcome):
        self.assertEqual(outcome.program_output(), self.plain)

    def test_it_prints_hardened_what_it_prints_on_a_plain_machine(self):
        outcome = self.boot_guest(self.kernel)
        self.assert_as_plain(outcome)
        self.assert_run_twice(outcome)
        report = self.report(outcome, "verdicts")
        ends = self.report(outcome, "ends")
        self.assertEqual(sum(ends.number(end) for end in ENDS), report.number("pes"))
        self.assertGreater(ends.number("exit"), 1000)
        self.assert_exits_have_their_kinds(self.report(outcome, "guest-exits"), ends.number("exit"))
        self.assertGreater(ends.number("time-limit"), 0)
        self.assertEqual(ends.number("system-call"), 0)
        self.assertEqual(self.report(outcome, "exit")["status"], "0")
        self.assertEqual(outcome.events("shutdown")[0].number("programs"), 2)

    def assert_exits_have_their_kinds(self, exits, total):
        counts = {kind: int(count) for kind, count in exits.fields.items() if kind != "process"}
        self.assertEqual(list(counts), ["time-stamp", "io", "cpuid", "msr", "halt", "register", "window", "other"])
        self.assertEqual(sum(counts.values()), total)
        self.assertEqual([kind for kind, count in counts.items() if count == 0], ["other"])

    def test_short_pes_and_the_papers_policy_change_nothing(self):
        for args in ("pe.limit=10", "policy=classic pe.limit=30", "check=full flush=touched pe.pages=16", "harden=guest"):
            with self.subTest(args):
                self.assert_as_plain(self.boot_guest(self.kernel, args))

    def test_a_cpu_with_avx_gives_it_to_the_guest(self):
        for cpu, status in (("max", "0"), (guest.CPU, "1")):
            outcome = self.boot_guest(small_guest.write(self.scratch, "avx"), "report=short", cpu=cpu)
            self.assertEqual(outcome.exit_event("monitor")["status"], status, cpu)
        kernel = plain_machine.test_guest(self.scratch, "vectors")
        for args in ("harden=none", "pe.limit=20"):
            with self.subTest(args):
                outcome = self.boot_guest(kernel, args, cpu="max")
                self.assertEqual(outcome.program_output(), plain_machine.run(kernel).text)
                self.assert_clean(outcome)

    def test_once_is_enough_to_boot_it(self):
        outcome = self.boot_guest(self.kernel, "harden=none")
        self.assert_as_plain(outcome)
        self.assert_clean(outcome)
        self.assertEqual(self.report(outcome, "exit")["hardened"], "no")

    def test_random_flips_in_the_guest_are_caught_or_die_out(self):
        for seed in (7, 8):
            with self.subTest(seed):
                outcome = self.boot_guest(self.kernel, f"pe.limit=30 inject.only=guest inject.rate=3 inject.seed={seed}")
                self.assert_as_plain(outcome)
                self.assert_clean(outcome)
                end, = outcome.events("shutdown")
                self.assertGreater(end.number("flips"), 300)
                self.assertGreater(end.number("flips_caught"), 250)
                self.assertEqual(end.number("flips_caught") + end.number("flips_died_out"), end.number("flips"))

    def test_every_bit_of_a_guests_129_words_counts_in_the_comparison(self):
        outcome = self.boot_guest(self.kernel, "pe.restarts=12", timeout=LONG,
                                  contents={"kernel": tree.kernel().with_name("every_bit.elf")})
        self.assert_as_plain(outcome)
        self.assert_clean(outcome)
        flips = {(flip["target"], flip["bit"], flip["run"]): flip["outcome"] for flip in outcome.events("flip")}
        self.assertEqual(len(flips), (GENERAL_REGISTERS + EXTENDED_REGISTERS + GUEST_REGISTERS) * 64 * 2)
        caught = list(flips.values()).count("caught")
        self.assertEqual(caught + list(flips.values()).count("died-out"), len(flips))
        self.assertGreater(caught, len(flips) - 10)  # one in an event that is not valid can die out on the way to the end
        self.assertEqual(self.report(outcome, "verdicts").number("mismatches"), caught)

    def test_flips_in_dr7_while_breakpoints_are_armed_do_no_harm_to_ring_0(self):
        kernel = plain_machine.test_guest(self.scratch, "breakpoints")
        flips = ",".join(f"guest:{40 + 2 * pe}:{1 + pe % 2}:dr7:{bit}" for pe, bit in enumerate((13, 43, 55, 63, 32, 9)))
        outcome = self.boot_guest(kernel, f"pe.limit=10 inject={flips}")
        self.assertEqual(outcome.program_output(), plain_machine.run(kernel).text)
        self.assert_clean(outcome)

    def test_a_flip_by_name_hits_a_register_that_only_a_guest_has(self):
        flips = "guest:30:1:cs.base:12,guest:40:2:cr3:13:end,guest:50:1:lstar:0,guest:60:2:rflags:9:end"
        outcome = self.boot_guest(self.kernel, f"inject={flips}")
        self.assert_as_plain(outcome)
        self.assertEqual([(flip["target"], flip["outcome"]) for flip in outcome.events("flip")],
                         [("cs.base", "caught"), ("cr3", "caught"), ("lstar", "caught"), ("rflags", "caught")])

    def test_time_limits_at_random_end_both_runs_at_the_same_place(self):
        for limit in (200, 10):
            with self.subTest(limit):
                outcome = self.boot_guest(self.kernel, f"pe.limit={limit} pe.pages=64 pe.restarts=0",
                                          contents={"kernel": tree.kernel().with_name("random_limit.elf")})
                self.assert_as_plain(outcome)
                self.assert_run_twice(outcome)
                search = self.report(outcome, "convergence")
                self.assertGreater(search.number("limited"), 80)
                self.assertEqual(search["converged"], search["limited"])
                self.assertEqual(self.report(outcome, "verdicts")["mismatches"], "0")
