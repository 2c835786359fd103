"""Flips between two stops of the time limit: at any instruction of a run, in registers and pages,
in either run. Each is caught or dies out, and the programs print what they print without."""

from boot import BootTest, linux, long_test

KINDS = ["branches", "vectors", "divide", "lock", "strings", "flags", "touch", "code", "pause"]
PROGRAMS = [*(["instructions", kind] for kind in KINDS), [linux("many_calls"), "40"]]


class FlipsBetweenStops(BootTest):
    cost = 60

    def boot_with_flips(self, seeds, least, counter):
        """A flip in every PE, about every other one at some instruction within a run."""
        arguments = "pe.limit=10 report=short"
        # What programs print does not depend on the counter, and this one is quick.
        quiet = self.boot(PROGRAMS, arguments, counter="icount")
        self.assert_clean(quiet)
        expected = sorted(quiet.program_output().splitlines())
        self.assertEqual(len(expected), len(PROGRAMS))
        flips = []
        for seed in seeds:
            outcome = self.boot(PROGRAMS, f"{arguments} inject.rate=1 inject.seed={seed}",
                                counter=counter)
            self.assertEqual(sorted(outcome.program_output().splitlines()), expected, seed)
            self.assert_clean(outcome)
            self.assertEqual(outcome.events("shutdown")[0]["standing"], "0")
            flips += outcome.events("flip")
        self.assertEqual({flip["outcome"] for flip in flips}, {"caught", "died-out"})
        within = [flip for flip in flips if flip["moment"] == "at"]
        self.assertGreaterEqual(len(within), least)
        pages = sum(flip["target"].startswith("page.") for flip in within)
        for part in (pages, len(within) - pages, sum(flip["run"] == "1" for flip in within),
                     sum(flip["run"] == "2" for flip in within)):
            self.assertGreater(part, least // 5)
        caught = sum(flip["outcome"] == "caught" for flip in within)
        self.assertGreater(caught, len(within) // 3)

    def test_five_hundred_flips_within_runs_change_nothing_with_icount(self):
        self.boot_with_flips([1, 2, 3, 4], 500, "icount")

    def test_a_hundred_flips_within_runs_change_nothing_with_a_pmu(self):
        self.boot_with_flips([5], 100, "pmu,delay=60,seed=5")

    @long_test
    def test_five_hundred_flips_within_runs_change_nothing_with_a_pmu(self):
        self.boot_with_flips([6, 7, 8, 9], 500, "pmu,delay=60,seed=7")
