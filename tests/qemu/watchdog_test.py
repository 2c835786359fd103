"""A flip sends the second run into a loop: the watchdog ends that run."""

from boot import BootTest

HIGH_BIT = "rbx:50"  # 2^50 iterations of the countdown


class Watchdog(BootTest):
    def test_a_flip_that_sends_the_second_run_into_a_loop_is_caught_much_earlier(self):
        # Four times the first run and a millisecond.
        outcome = self.boot_with_a_flip()
        self.assert_caught(outcome)
        self.assertEqual(outcome.events("verdicts")[0]["by_end"], "1")
        times, = outcome.events("times")
        self.assertGreater(times.number("second_run_ns"), 1_000_000)
        self.assertLess(times.number("second_run_ns"), 2_000_000)

    def boot_with_a_flip(self):
        """Flips a bit of the countdown. The PE before the last counts down, and ends when it
        prints. The last PE ends with the program."""
        quiet = self.boot([["countdown"]])
        countdown = quiet.events("verdicts")[0].number("pes") - 1
        return self.boot([["countdown"]], f"inject=countdown:{countdown}:2:{HIGH_BIT}")

    def assert_caught(self, outcome):
        self.assert_clean(outcome)
        self.assertEqual(outcome.program_output(), "countdown: 0 left\n")
        flip, = outcome.events("flip")
        self.assertEqual(flip["outcome"], "caught")
        self.assertEqual(outcome.events("verdicts")[0]["restarts"], "1")
