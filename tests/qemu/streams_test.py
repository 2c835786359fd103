"""Random streams of instructions (user/programs/streams): both runs end alike, and flips do not
change the results."""

import re

from boot import LONG, BootTest, long_test

# Divide error, debug, breakpoint, invalid opcode, general protection, page fault.
EXCEPTIONS = {"0", "1", "3", "6", "13", "14"}
NEIGHBOUR = "neighbour: 20 rounds, digest "


class RandomStreams(BootTest):
    cost = 40

    def boot_streams(self, count, seed, args="", **settings):
        """Returns the outcome and the line that has the digest."""
        outcome = self.boot([["streams", count, seed], ["neighbour", "20"]], f"report=short {args}",
                            **settings)
        self.assert_clean(outcome)
        self.assertEqual(outcome.events("panic"), [])
        self.assertEqual(outcome.events("shutdown")[0]["standing"], "0")
        self.assertIn(NEIGHBOUR, outcome.program_output())
        line, = re.findall(rf"streams: seed {seed}: {count} streams, .*", outcome.program_output())
        return outcome, line

    def assert_no_divergence(self, count, seed, args="", **settings):
        outcome, line = self.boot_streams(count, seed, args, **settings)
        self.assert_no_mismatch(outcome)
        found = set(re.findall(r"streams: exception (\d+):", outcome.program_output()))
        self.assertEqual(EXCEPTIONS - found, set())
        to_their_end = int(re.search(r"streams, (\d+) to", line)[1])
        self.assertGreater(to_their_end, count // 3)

    def test_streams_from_seed_1_do_not_diverge(self):
        self.assert_no_divergence(13000, 1)

    def test_streams_from_seed_2_do_not_diverge(self):
        self.assert_no_divergence(13000, 2)

    def test_streams_from_seed_3_do_not_diverge(self):
        self.assert_no_divergence(13000, 3)

    def test_streams_from_seed_4_do_not_diverge(self):
        self.assert_no_divergence(13000, 4)

    def test_flips_do_not_change_what_streams_come_to(self):
        _, quiet = self.boot_streams(4000, 5)
        outcome, line = self.boot_streams(4000, 5, "inject.rate=20 inject.seed=3")
        self.assertEqual(line, quiet)
        flips = [flip for flip in outcome.events("flip") if flip["process"] == "streams"]
        self.assertGreater(len(flips), 500)
        verdicts, = [event for event in outcome.events("verdicts") if event["process"] == "streams"]
        caught = sum(flip["outcome"] == "caught" for flip in flips)
        self.assertEqual(verdicts["mismatches"], str(caught))  # each mismatch is a flip's

    @long_test
    def test_half_a_million_streams_do_not_diverge(self):
        for seed in range(11, 21):
            self.assert_no_divergence(50000, seed, timeout=LONG)
