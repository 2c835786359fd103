"""Messages between processes: each arrives once, whole, in order, whatever has to be run again."""

from boot import BootTest, image, native


def player(role, count):
    return image.Program(native("pingpong"), ["pingpong", role, str(count)], role)


def talker(name, *argv):
    return image.Program(native("talk"), ["talk", *argv], name)


class Ipc(BootTest):
    def play(self, count, args=""):
        outcome = self.boot([player("ping", count), player("pong", count)], args)
        self.assert_clean(outcome)
        total = 3 * count * (count + 1) // 2
        self.assertEqual(sorted(outcome.program_output().splitlines()),
                         [f"{role}: {count} messages, sum {total}" for role in ("ping", "pong")])
        return outcome

    def verdicts(self, outcome, process):
        event, = [e for e in outcome.events("verdicts") if e["process"] == process]
        return event

    def test_messages_with_up_to_9000_bytes_go_to_and_fro(self):
        self.assert_no_mismatch(self.play(300))

    def test_a_storm_of_restarts_in_one_process_costs_the_other_nothing_but_time(self):
        calm = self.play(300)
        for stormy, other in [("ping", "pong"), ("pong", "ping")]:
            with self.subTest(stormy=stormy):
                outcome = self.play(300, f"inject.rate=10 inject.only={stormy}")
                self.assertGreater(self.verdicts(outcome, stormy).number("restarts"), 15)
                mine = self.verdicts(outcome, other)
                self.assertEqual(mine.number("mismatches"), 0)
                self.assertEqual(mine["pes"], self.verdicts(calm, other)["pes"])

    def test_messages_arrive_when_neither_side_is_hardened_or_only_one(self):
        for harden in ("none", "ping", "pong"):
            with self.subTest(harden=harden):
                self.play(100, f"harden={harden}")

    def test_calls_that_cannot_be_are_refused_and_alarms_come(self):
        for args in ("", "inject.rate=3"):
            with self.subTest(args=args):
                outcome = self.boot([talker("alone", "alone")], args)
                self.assert_clean(outcome)
                self.assertEqual(outcome.program_output(), "alone: done\n")

    def test_messages_that_are_too_long_go_in_a_circle_or_to_the_ended_are_refused(self):
        for args in ("", "inject.rate=3", "harden=none"):
            with self.subTest(args=args):
                outcome = self.boot([talker("client", "client"), talker("server", "server")], args)
                self.assert_clean(outcome)
                self.assertEqual(sorted(outcome.program_output().splitlines()),
                                 ["client: done", "server: done"])

    def test_callers_are_heard_in_their_order_and_answered_in_any(self):
        callers = [talker(f"caller{i}", "caller") for i in range(5)]
        outcome = self.boot([talker("queue", "queue", "5"), *callers])
        self.assert_clean(outcome)
        self.assertEqual(sorted(outcome.program_output().splitlines()),
                         ["answered"] * 4 + ["left alone", "queue: done"])
