"""Turns, priorities, quantum and stop.after=, and how long interrupts wait while programs compute
and never make a call."""

from itertools import groupby

from boot import BootTest, image, native

# A PE of fixed size in all these boots, but where another limit is given: so a wait has a known bound.
LIMIT_NS = 200_000
FIXED = f"pe.limit={LIMIT_NS // 1000} pe.pages=64"
SPINNERS = ("jmp", "count", "stos", "poll")


def program(name, *argv):
    """A program under a name of its own; its argv[0] is that name, too."""
    return image.Program(native(argv[0]), [name, *map(str, argv[1:])], name)


def spinners(modes=SPINNERS):
    return [program(mode, "spin", mode) for mode in modes]


class Scheduling(BootTest):
    def boot(self, programs, arguments="", **settings):
        return super().boot(programs, f"{FIXED} {arguments}", **settings)

    def pes_and_time(self, outcome, process):
        """PEs and nanoseconds in first runs, write faults included; or in ring 3, not hardened."""
        for event in outcome.events("unhardened"):
            if event["process"] == process:
                return event.number("pes"), event.number("run_ns")
        verdicts, = [e for e in outcome.events("verdicts") if e["process"] == process]
        times, = [e for e in outcome.events("times") if e["process"] == process]
        return (verdicts.number("pes"),
                times.number("first_run_ns") + times.number("fault_ns"))

    def turns(self, args, *programs):
        """Who printed how many lines one behind the other: [("a", 3), ("b", 3), ...]."""
        outcome = self.boot([program(name, "turns", *argv) for name, *argv in programs], args)
        self.assert_clean(outcome)
        return [(name, len(list(lines))) for name, lines
                in groupby(outcome.program_output().splitlines())]

    def assert_all_are_served(self, outcome, names):
        self.assert_clean(outcome)
        shares = {name: self.pes_and_time(outcome, name) for name in names}
        for name, (pes, time) in shares.items():
            self.assertGreater(pes, 100, name)
        times = [time for _, time in shares.values()]
        self.assertLessEqual(max(times), 1.05 * min(times), shares)

    def assert_no_long_wait(self, outcome):
        """Nothing was restarted, so that the bound holds (docs/architecture.md)."""
        self.assertEqual(outcome.events("shutdown")[0]["restarts"], "0")
        latency, = outcome.events("latency")
        self.assertEqual(latency.number("limit_ns"), LIMIT_NS)
        self.assertGreater(latency.number("longest_wait_ns"), LIMIT_NS // 2)
        self.assertLessEqual(latency.number("longest_wait_ns"), LIMIT_NS * 5 // 2)
        self.assertLessEqual(latency.number("longest_pe_ns"), latency.number("longest_wait_ns"))

    def assert_sleeper_wakes_in_time(self, args):
        sleeper = program("sleeper", "sleeper", 40, 3000)
        outcome = self.boot([*spinners(), sleeper], "console=serial quantum=10 stop.after=500ms "
                            f"priority=sleeper:7 {args}")
        self.assert_clean(outcome)
        latest = self.latest(outcome)
        self.assertGreater(latest, 0)
        # The PE under way and the sleeper's own.
        self.assertLess(latest, LIMIT_NS * 5 // 2 + 60_000)

    def latest(self, outcome):
        line, = [l for l in outcome.program_output().splitlines() if l.startswith("sleeper:")]
        return int(line.split("=")[1])


class Turns(Scheduling):
    """Programs that end their PEs themselves: each PE counts as one of the turn."""

    def test_equal_ones_take_turns_of_one_pe(self):
        self.assertEqual(self.turns("", ("a", 9), ("b", 9)), [("a", 1), ("b", 1)] * 9)

    def test_a_quantum_of_five_makes_turns_of_five_pes(self):
        turns = self.turns("quantum=5", ("a", 30), ("b", 30), ("c", 30))
        # The first turn began before the first line, so the last one is short.
        self.assertEqual({count for _, count in turns[3:-3]}, {5})
        self.assertEqual([name for name, _ in turns], ["a", "b", "c"] * (len(turns) // 3))

    def test_who_yields_gives_up_the_rest_of_its_turn(self):
        turns = self.turns("quantum=1000", ("a", 9, 3), ("b", 9))
        self.assertEqual(turns, [("a", 3), ("b", 9), ("a", 6)])

    def test_a_higher_one_runs_first_and_a_lower_one_last(self):
        turns = self.turns("priority=b:7,c:0", ("c", 5), ("a", 5), ("b", 5))
        self.assertEqual(turns, [("b", 5), ("a", 5), ("c", 5)])

    def test_a_sleeper_of_higher_priority_takes_over_at_the_next_pe_end(self):
        sleeper = program("sleeper", "sleeper", 20, 1000)
        outcome = self.boot([program("a", "loop", "calls"), program("b", "loop", "calls"), sleeper],
                            "priority=sleeper:5 quantum=1000 console=serial stop.after=200ms")
        self.assert_clean(outcome)
        # One PE of the others and its own.
        self.assertLess(self.latest(outcome), 60_000)

    def test_a_priority_for_a_program_that_is_not_there_is_refused_and_named(self):
        outcome = self.boot([["turns", "3"]], "priority=turns:7,turn:1")
        self.assert_boot_error(outcome, "bad-argument")
        self.assertEqual(outcome.events("error")[0]["subject"], "turn")
        self.assertEqual(outcome.program_output(), "")

    def test_a_hardened_name_that_is_not_there_is_refused_and_named(self):
        outcome = self.boot([["turns", "3"]], "harden=turn")
        self.assert_boot_error(outcome, "bad-argument")
        self.assertEqual(outcome.events("error")[0]["subject"], "turn")


class StopAfter(Scheduling):
    def assert_stopped(self, outcome, *processes, at_ms):
        for process in processes:
            end = outcome.exit_event(process)
            self.assertEqual((end["stopped"], end["status"]), ("yes", "0"))
            self.assertTrue(any(f"{process}: stopped by stop.after=" in line
                                for line in outcome.people_lines()), process)
        shutdown, = outcome.events("shutdown")
        self.assertEqual(shutdown["failed"], "0")
        self.assertGreaterEqual(shutdown.number("time_ns"), at_ms * 1_000_000)
        self.assertLess(shutdown.number("time_ns"), (at_ms + 20) * 1_000_000)

    def test_endless_programs_are_stopped_and_the_machine_ends_clean(self):
        outcome = self.boot([program("a", "loop", "calls"), program("b", "loop", "calls"),
                             ["turns", "3"]], "console=serial stop.after=80ms")
        self.assert_clean(outcome)
        self.assert_stopped(outcome, "a", "b", at_ms=80)
        self.assertEqual(outcome.exit_event("turns")["stopped"], "no")
        a, b = (self.pes_and_time(outcome, process)[0] for process in "ab")
        self.assertGreater(a, 100)
        self.assertAlmostEqual(a, b, delta=1)

    def test_a_machine_in_which_all_sleep_or_wait_for_input_is_stopped_in_time(self):
        outcome = self.boot([["sleeper", "1", "1000000000"], ["echo"]],
                            "console=serial stop.after=1 stdin=console")
        self.assert_clean(outcome)
        self.assert_stopped(outcome, "sleeper", "echo", at_ms=1000)

    def test_another_program_that_failed_is_still_a_failure(self):
        outcome = self.boot([["loop", "calls"], ["arguments", "3"]],
                            "console=serial stop.after=80ms")
        self.assertEqual(outcome.value, 0x11)
        self.assertEqual(outcome.exit_event("arguments")["status"], "3")


class Spinning(Scheduling):
    """Programs that only the time limit stops, each run twice to the same instruction."""

    def test_each_endless_program_alone_commits_pe_after_pe(self):
        for mode in SPINNERS:
            outcome = self.boot(spinners([mode]), "console=serial stop.after=150ms")
            self.assert_all_are_served(outcome, [mode])
            self.assert_no_long_wait(outcome)

    def test_endless_programs_of_equal_priority_get_equal_times(self):
        outcome = self.boot(spinners(), "console=serial stop.after=2")
        self.assert_all_are_served(outcome, SPINNERS)
        self.assert_no_long_wait(outcome)

    def test_a_neighbour_that_makes_calls_is_not_held_up_by_those_that_never_do(self):
        outcome = self.boot([*spinners(), ["turns", "20"]], "console=serial stop.after=300ms")
        self.assert_clean(outcome)
        self.assertEqual(outcome.exit_event("turns")["stopped"], "no")
        self.assertEqual(outcome.program_output().count("turns\n"), 20)

    def test_a_higher_endless_program_starves_the_lower_ones(self):
        outcome = self.boot(spinners(("jmp", "count")), "console=serial "
                            "priority=jmp:5 stop.after=150ms")
        self.assert_clean(outcome)
        self.assertGreater(self.pes_and_time(outcome, "jmp")[0], 100)
        self.assertEqual(self.pes_and_time(outcome, "count"), (0, 0))

    def test_a_sleeper_of_higher_priority_wakes_in_time(self):
        self.assert_sleeper_wakes_in_time("")

    def test_input_reaches_its_reader_while_others_spin(self):
        for priority in ("", "priority=echo:7 "):
            outcome = self.boot([*spinners(), ["echo", "2"]], f"console=serial {priority}"
                                "stdin=console stop.after=2", typed=b"one\ntwo\n")
            self.assert_clean(outcome)
            self.assertEqual(outcome.exit_event("echo")["stopped"], "no")
            self.assertIn('echo: "one"\necho: "two"\n', outcome.program_output())
            self.assert_no_long_wait(outcome)

    def test_no_interrupt_waits_for_the_screen_either(self):
        outcome = self.boot([*spinners(("jmp", "count")), ["turns", "100"]], "stop.after=300ms")
        self.assert_clean(outcome)
        self.assert_no_long_wait(outcome)

    def test_a_first_instruction_that_faults_again_and_again_gets_more_time_once(self):
        outcome = self.boot([["limits", "renewal"]], "console=serial stop.after=200ms")
        self.assert_clean(outcome)
        self.assertLess(outcome.events("latency")[0].number("longest_pe_ns"), 4 * LIMIT_NS)

    def test_a_shorter_limit_shortens_the_wait(self):
        outcome = self.boot(spinners(), "console=serial pe.limit=50 stop.after=150ms")
        self.assert_clean(outcome)
        latency, = outcome.events("latency")
        self.assertEqual(latency.number("limit_ns"), 50_000)
        self.assertLessEqual(latency.number("longest_wait_ns"), 250_000)


class SpinningOnce(Scheduling):
    """Without a second run the time limit has no need to stop anywhere exactly."""

    def test_unhardened_programs_that_never_end_are_served_alike(self):
        outcome = self.boot(spinners(), "console=serial harden=none stop.after=2")
        self.assert_all_are_served(outcome, SPINNERS)
        self.assert_no_long_wait(outcome)

    def test_unhardened_ones_hold_up_no_sleeper_of_higher_priority(self):
        self.assert_sleeper_wakes_in_time("harden=none")
