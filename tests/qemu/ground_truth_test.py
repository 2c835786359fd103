"""The time limit stops a program only at a position that the program really passes. A special
kernel (ground_truth/) records every position of a program by single steps. Then it stops a second
process of the same program at random, over a thousand times, and looks each place up."""

from boot import LONG, BootTest, linux, long_test, native
from reprise import image, machine, tree

# Kinds of instructions (tests/programs/native/instructions.cpp), and rounds that make some 100,000
# positions; more where the budget of pages ends most PEs.
KINDS = {"branches": 1000, "vectors": 1000, "divide": 2500, "lock": 2800, "strings": 1,
         "flags": 2600, "touch": 125, "code": 2, "pause": 7000}
LINUX_CALLS = 100
# What takes the place of the limit is drawn up to it.
FIXED = "pe.limit=200 pe.pages=64"


class GroundTruth(BootTest):
    cost = 100

    def look_up_random_stops(self, counter, factor=1, **settings):
        argvs = {kind: [native("instructions"), kind, rounds * factor]
                 for kind, rounds in KINDS.items()}
        argvs["linux"] = [linux("many_calls"), LINUX_CALLS * factor]
        pairs = [image.Program(argv[0], list(map(str, argv)), f"{role}-{kind}")
                 for kind, argv in argvs.items() for role in ("traced", "stopped")]
        names = ",".join(f"stopped-{kind}" for kind in argvs)
        outcome = self.boot(pairs, f"harden={names} {FIXED}", counter=counter, **settings,
                            contents={"kernel": tree.kernel().with_name("ground_truth.elf")})
        self.assertEqual(outcome.events("ground-truth-lost"), [])
        found = outcome.events("ground-truth")
        self.assertEqual([event["process"] for event in found], names.split(","))
        for event in found:
            self.assertEqual(event["counter"].split("-")[0], counter.split(",")[0], event)
            self.assertGreaterEqual(event.number("stops"), 1000, event)
            self.assertEqual((event["lost"], event["alike"]), ("0", "yes"), event)
        repeating, = [event for event in found if event["process"] == "stopped-strings"]
        self.assertGreater(repeating.number("repeating"), 300, "stops within REP")
        for event in outcome.events("verdicts"):
            self.assertEqual(event["mismatches"], "0", event)
        self.assertEqual(outcome.value, machine.CLEAN)

    def test_a_thousand_random_stops_of_each_program_are_its_own_positions_with_icount(self):
        self.look_up_random_stops("icount")

    def test_a_thousand_random_stops_of_each_program_are_its_own_positions_with_a_pmu(self):
        self.look_up_random_stops("pmu,delay=60,seed=5")

    @long_test
    def test_many_more_random_stops_are_positions_of_the_program_with_icount(self):
        self.look_up_random_stops("icount", factor=5, timeout=LONG)
