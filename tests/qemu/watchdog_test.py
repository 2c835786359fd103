"""Runs that would not end: the program's own fault, and a flip's."""

from boot import BootTest

HIGH_BIT = "rbx:50"  # 2^50 iterations of the countdown


class Watchdog(BootTest):
    def test_an_endless_loop_is_too_long_restarted_once_and_stopped(self):
        outcome = self.boot([["loop"], ["compute", "1000"]], "pe.watchdog=50ms")
        self.assertEqual(outcome.value, 0x12)
        mismatch, = outcome.events("mismatch")
        self.assertEqual((mismatch["process"], mismatch["verdict"]), ("loop", "too-long"))
        run, = outcome.events("mismatch-run")
        self.assertEqual(run["end"], "watchdog")
        verdicts, = [e for e in outcome.events("verdicts") if e["process"] == "loop"]
        self.assertEqual((verdicts["too_long"], verdicts["restarts"]), ("2", "1"))
        self.assertEqual(verdicts.number("first_runs"), verdicts.number("pes") + 2)
        self.assertEqual(verdicts["second_runs"], verdicts["pes"])
        self.assertEqual(outcome.exit_event("loop")["status"], "135")
        self.assertEqual(outcome.exit_event("compute")["status"], "0")
        self.assertTrue(any("took too long, twice" in line for line in outcome.people_lines()))
        first_run = [e for e in outcome.events("times") if e["process"] == "loop"][0]
        self.assertAlmostEqual(first_run.number("first_run_ns") / 1e6, 100, delta=5)

    def test_a_flip_that_sends_the_first_run_into_a_loop_is_caught(self):
        outcome = self.boot_with_a_flip(1, "pe.watchdog=50ms")
        self.assert_caught(outcome)
        self.assertEqual(outcome.events("verdicts")[0]["too_long"], "1")

    def test_a_flip_that_sends_the_second_run_into_a_loop_is_caught_much_earlier(self):
        # Four times the first run and a millisecond, whatever pe.watchdog= says.
        outcome = self.boot_with_a_flip(2)
        self.assert_caught(outcome)
        self.assertEqual(outcome.events("verdicts")[0]["by_end"], "1")
        times, = outcome.events("times")
        self.assertGreater(times.number("second_run_ns"), 1_000_000)
        self.assertLess(times.number("second_run_ns"), 2_000_000)

    def boot_with_a_flip(self, run, arguments=""):
        """The countdown is the PE before the last: it ends with the line that is printed, the last
        with the program."""
        quiet = self.boot([["countdown"]])
        countdown = quiet.events("verdicts")[0].number("pes") - 1
        return self.boot([["countdown"]], f"{arguments} inject=countdown:{countdown}:{run}:{HIGH_BIT}")

    def assert_caught(self, outcome):
        self.assert_clean(outcome)
        self.assertEqual(outcome.program_output(), "countdown: 0 left\n")
        flip, = outcome.events("flip")
        self.assertEqual(flip["outcome"], "caught")
        self.assertEqual(outcome.events("verdicts")[0]["restarts"], "1")
