"""Flips on purpose, in the running machine: in any place and either run, no flip is seen outside. A
flip is caught when the two runs differ. It dies out when the program never uses what it hit."""

import re

from boot import BUSYBOX, BootTest
from reference import lines

GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
           *(f"r{n}" for n in range(8, 16)), "rip", "fs_base", "gs_base"]
VECTORS = [f"xmm{n}.{n % 2}" for n in range(16)] + [f"ymm{n}.{2 + n % 2}" for n in range(16)]
FLAGS = [0, 2, 4, 6, 7, 10, 11, 14, 18, 21]  # CF PF AF ZF SF DF OF NT AC ID


class ChosenFlips(BootTest):
    def boot_with_flips(self, programs, flips, arguments="", **settings):
        """Boots with injections; the output must be that of a boot without."""
        outcome = self.boot(programs, f"{arguments} inject={','.join(flips)}", **settings)
        self.assert_clean(outcome)
        return outcome

    def assert_all_caught(self, outcome, count):
        flips = outcome.events("flip")
        self.assertEqual(len(flips), count)
        self.assertEqual([flip for flip in flips if flip["outcome"] != "caught"], [])
        shutdown, = outcome.events("shutdown")
        self.assertEqual(shutdown["flips_caught"], str(count))
        self.assertEqual(shutdown["mismatches"], str(count))
        self.assertEqual(shutdown["restarts"], str(count))
        self.assertEqual(shutdown["standing"], "0")

    def test_a_flip_in_any_register_is_caught_in_either_run(self):
        # At the run's end, so that no instruction can overwrite it: it has to be compared. The
        # lowest 46 bits, for a wild bit above makes an address that no register can hold.
        flips = [f"calls:{20 + n}:{1 + n % 2}:{name}:{7 * n % 46}:end"
                 for n, name in enumerate(GENERAL + VECTORS)]
        outcome = self.boot_with_flips([["calls", "20"]], flips)
        self.assert_all_caught(outcome, len(GENERAL + VECTORS))
        self.assertIn("calls: 20 rounds of 10 calls\n", outcome.program_output())
        verdicts, = outcome.events("verdicts")
        self.assertEqual(verdicts["by_registers"], verdicts["mismatches"])

    def test_a_flip_of_any_flag_that_ring_3_can_have_is_caught_in_either_run(self):
        flips = [f"calls:{20 + n}:{1 + n % 2}:rflags:{bit}:end" for n, bit in enumerate(FLAGS)]
        flips += [f"calls:{50 + n}:{2 - n % 2}:rflags:{bit}:end" for n, bit in enumerate(FLAGS)]
        outcome = self.boot_with_flips([["calls", "20"]], flips)
        self.assert_all_caught(outcome, 2 * len(FLAGS))

    def test_a_flip_of_any_word_of_a_page_is_caught_in_either_run(self):
        # Words from the first to the last of a page, in each of the ten pages.
        words = [0, 1, 2, 63, 64, 255, 256, 447, 509, 510, 511]
        flips = [f"pages:{20 + n}:{1 + n % 2}:page.{n % 10}.{word}:{(13 * n) % 64}"
                 for n, word in enumerate(words * 4)]
        outcome = self.boot_with_flips([["pages", "10", "100"]], flips)
        self.assert_all_caught(outcome, 4 * len(words))
        verdicts, = outcome.events("verdicts")
        self.assertEqual(verdicts["by_pages"], verdicts["mismatches"])
        self.assertEqual(verdicts["by_registers"], "0")
        self.assertIn("pages: pages=10 elements=100 sum=500500", outcome.program_output())

    def test_classic_and_full_checks_catch_the_same_flips(self):
        flips = ["pages:20:1:page.3.17:5", "pages:25:2:page.9.511:63", "pages:30:1:rbx:12",
                 "pages:35:2:r14:1", "pages:40:1:xmm7.1:60:end"]
        for arguments in ("policy=classic", "check=full", "policy=classic check=full"):
            outcome = self.boot_with_flips([["pages", "10", "100"]], flips, arguments)
            self.assert_all_caught(outcome, len(flips))
            self.assertIn("sum=500500", outcome.program_output())

    def test_a_full_check_catches_a_flip_in_a_page_that_neither_run_has_modified(self):
        outcome = self.boot_with_flips([["pages", "10", "100"]], ["pages:20:1:unmodified.0.17:5", "pages:30:2:unmodified.0.511:63"],
                                       "check=full")
        self.assert_all_caught(outcome, 2)
        self.assertIn("sum=500500", outcome.program_output())

    def test_a_flip_that_is_overwritten_before_the_end_dies_out(self):
        # RAX at the start of a PE holds a result that touch_pages() drops; the page's word is
        # written again in the same PE.
        outcome = self.boot_with_flips([["pages", "10", "100"]],
                                       ["pages:20:1:rax:40", "pages:21:2:rcx:3"])
        self.assertEqual([flip["outcome"] for flip in outcome.events("flip")], ["died-out"] * 2)
        self.assertEqual(outcome.events("shutdown")[0]["mismatches"], "0")

    def test_two_flips_in_one_pe_need_only_one_restart(self):
        outcome = self.boot_with_flips([["pages", "10", "100"]],
                                       ["pages:20:1:page.3.17:5", "pages:20:2:page.4.17:5"])
        self.assertEqual([flip["outcome"] for flip in outcome.events("flip")], ["caught"] * 2)
        self.assertEqual(outcome.events("verdicts")[0]["restarts"], "1")

    def test_a_flip_that_has_nothing_to_hit_is_told(self):
        outcome = self.boot_with_flips([["pages", "10", "100"]], ["pages:20:1:page.11.0:5"])
        self.assertEqual([flip["outcome"] for flip in outcome.events("flip")], ["no-target"])


class FlipsInInit(BootTest):
    """Init finds out what the machine is: its tables, its clocks, its counters. It runs twice."""

    cost = 10

    def boot_with_flips_in_init(self, items, args=""):
        return self.boot([["pages", "10", "100"]], f"report=short {args} inject={','.join(items)}",
                         pit=True)

    def test_flips_while_init_finds_out_what_the_machine_is_change_nothing(self):
        registers = ["rax", "rcx", "rdx", "rsp", "rbp", "rsi", "rdi", "r8", "r12", "rip"]
        told, expected = 0, self.boot_with_flips_in_init(["init:1:1:rax:0"])
        for first in (30, 31, 32, 33):
            items = [f"init:{pe}:{1 + i % 2}:{registers[i % 10]}:{(7 * i + first) % 48}"
                     for i, pe in enumerate(range(first, 310, 5))]
            outcome = self.boot_with_flips_in_init(items)
            self.assert_clean(outcome)
            self.assertEqual(outcome.program_output(), expected.program_output())
            counters = [boot.events("counter")[0].fields for boot in (outcome, expected)]
            self.assertEqual(counters[0], counters[1])
            # A restart amid a measurement costs time: some hundred parts in a million.
            clock, = [line for line in outcome.people_lines() if "clock:" in line]
            rate = int(re.search(r"time stamp (\d+) kHz", clock)[1])
            self.assertAlmostEqual(rate, 1_000_000, delta=1000)
            fates = [flip["outcome"] for flip in outcome.events("flip")]
            self.assertEqual(set(fates) - {"caught", "died-out"}, set())
            told += len(fates)
        self.assertGreater(told, 150)

    def test_when_init_diverges_for_good_that_is_said_whatever_the_console_is(self):
        for console in ("serial,screen", "serial", "screen"):
            outcome = self.boot_with_flips_in_init(
                ["init:100:1:rsp:3", "init:100:1:snapshot.rbx:3"], f"console={console}")
            self.assertEqual(outcome.value, 0x12, console)
            self.assertEqual(len(outcome.events("init-ended")), 1, console)


class RandomFlips(BootTest):
    """Seeded flips over registers and pages in both runs. Each is caught or dies out, and the
    programs print what they print without."""

    def boot_with_random_flips(self, programs, seeds, rate, least, files=None):
        quiet = self.boot(programs, files=files)
        self.assert_clean(quiet)
        expected = sorted(quiet.program_output().splitlines())
        flips = []
        for seed in seeds:
            outcome = self.boot(programs, f"inject.rate={rate} inject.seed={seed}", files=files)
            self.assert_clean(outcome)
            self.assertEqual(sorted(outcome.program_output().splitlines()), expected, seed)
            shutdown, = outcome.events("shutdown")
            told = outcome.events("flip")
            # Those in drivers that send the log are counted and not told.
            self.assertGreaterEqual(shutdown.number("flips"), len(told))
            self.assertEqual(shutdown.number("flips"), shutdown.number("flips_caught")
                             + shutdown.number("flips_died_out"))
            self.assertEqual(shutdown.number("standing"), 0)
            flips += told
        self.assertGreaterEqual(len(flips), least)
        self.assertEqual({flip["outcome"] for flip in flips}, {"caught", "died-out"})
        for run in ("1", "2"):
            self.assertGreater(sum(flip["run"] == run for flip in flips), least // 3, f"run {run}")
        pages = sum(flip["target"].startswith("page.") for flip in flips)
        self.assertGreater(pages, least // 4)
        self.assertGreater(len(flips) - pages, least // 4)
        return flips

    def test_two_hundred_random_flips_change_nothing_that_native_programs_print(self):
        programs = [["pages", "10", "100"], ["calls", "20"], ["vectors"], ["handler"],
                    ["recurse", "500"]]
        self.boot_with_random_flips(programs, seeds=[1, 2], rate=3, least=200)

    def test_two_hundred_random_flips_change_nothing_that_linux_programs_print(self):
        # Whole lines in each write: where a flip's line of the kernel's stands must not matter.
        files = {"lines": lines(80, seed=11)}
        squares = "i=0; while [ $i -lt 80 ]; do i=$((i + 1)); echo $((i * i)) $i; done"
        programs = [[BUSYBOX, "sort", "lines"],
                    [BUSYBOX, "sha256sum", "lines"],
                    [BUSYBOX, "awk", "{ n[length($0)]++; fflush() } END { print n[9], n[20] }",
                     "lines"],
                    [BUSYBOX, "sh", "-c", squares]]
        self.boot_with_random_flips(programs, seeds=[3, 4], rate=1, least=200, files=files)

    def test_the_same_seed_flips_the_same_bits(self):
        def flips(seed):
            outcome = self.boot([["pages", "10", "100"]], f"inject.rate=5 inject.seed={seed}")
            return [event.fields for event in outcome.events("flip")]
        first = flips(9)
        self.assertGreater(len(first), 10)
        self.assertEqual(first, flips(9))
        self.assertNotEqual(first, flips(10))
