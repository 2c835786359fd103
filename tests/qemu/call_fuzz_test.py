"""Random native calls (user/programs/callfuzz.cpp) beside a process that keeps a secret. The kernel
serves or refuses each call and reveals nothing, and the neighbour ends unharmed."""

import re

from boot import LONG, BootTest, long_test


def neighbour_line(rounds):
    """What `neighbour` prints (user/programs/neighbour.cpp), by other means."""
    mask, words, digest = (1 << 64) - 1, 24 * 512, 0
    for word in range(rounds * words):
        digest = (digest ^ (0x5EC2E7ED << 32 | word)) * 0x9E3779B97F4A7C15 & mask
    return f"neighbour: {rounds} rounds, digest {digest:016x}"


class RandomCalls(BootTest):
    cost = 10

    def boot_beside_neighbour(self, programs, **settings):
        outcome = self.boot([["neighbour", "100"], *programs], "report=short", **settings)
        self.assertEqual(outcome.events("panic"), [])
        output = outcome.program_output()  # binary: a failed test must not print it
        self.assertTrue(neighbour_line(100) in output, "the neighbour was harmed")
        self.assertEqual(outcome.exit_event("neighbour")["status"], "0")
        # A fuzzer prints such a line when a call has done what it must not. It may print parts of
        # its own file by chance, which hold these words, but no such line.
        self.assertIsNone(re.search(r"callfuzz: call \d+\([^)]*\) gave [^\n]*", output))
        self.assert_no_mismatch(outcome)
        return outcome

    def assert_survives(self, count, seeds, **settings):
        outcome = self.boot_beside_neighbour([["callfuzz", count, seed] for seed in seeds],
                                             **settings)
        self.assert_clean(outcome)
        for seed in seeds:
            line = rf"callfuzz: seed {seed}: {count} calls, (\d+) refused"
            refused = int(re.search(line, outcome.program_output())[1])
            self.assertGreater(refused, count // 4)
            self.assertLess(refused, count * 9 // 10)

    def test_calls_from_seeds_1_and_2_are_served_or_refused(self):
        self.assert_survives(25000, [1, 2])

    def test_calls_from_seeds_3_and_4_are_served_or_refused(self):
        self.assert_survives(25000, [3, 4])

    def test_programs_that_may_hit_themselves_harm_nobody_else(self):
        fuzzers = [["callfuzz", 3000, seed, "wild"] for seed in range(5, 21)]
        self.boot_beside_neighbour(fuzzers)


def add_long_tests(count, tests):
    """Ten million calls, in parts that each stay within the time of a test."""
    def part(seed):
        return long_test(lambda self: self.assert_survives(count, [seed], timeout=LONG))
    for seed in range(101, 101 + tests):
        name = f"test_{count}_calls_from_seed_{seed}_are_served_or_refused"
        setattr(RandomCalls, name, part(seed))


add_long_tests(1_000_000, 10)
