"""Effects on the outside happen once, in order, with the right value, however many PEs run again.
They are counted from outside: QEMU traces writes to ports and to devices' memory. Messages between
two processes are counted the same way, because their receiver writes each to a port."""

import re

from boot import BootTest, image, long_test, native

GRANTS = "grant=source:port:1200-1207,source:mmio:fed00000,sink:port:1300-1303"
# QEMU's cpu_out is silent under TCG, where port writes are traced as memory_region_ops_write, too.
WRITE = re.compile(r"memory_region_ops_write .*addr 0x(\w+) value 0x(\w+) size 4 name '(io|hpet)'")


class ExactlyOnce(BootTest):
    def effects_of(self, count, args, flips):
        """The values written in the machine's run: {place: [value, ...]}, places as named here."""
        trace = self.scratch / "trace"
        programs = [image.Program(native("effects"), ["effects", role, str(count)], role)
                    for role in ("source", "sink")]
        outcome = self.boot(programs, f"{GRANTS} report=short {args}", extra=[
            "-D", str(trace), "-d", "trace:memory_region_ops_write"])
        self.assert_clean(outcome)
        self.assertEqual(sorted(outcome.program_output().splitlines()),
                         [f"sink: {count}", f"source: {count}"])
        self.assertGreaterEqual(outcome.events("shutdown")[0].number("flips_caught"), flips)
        found = {"1200": [], "1204": [], "1300": [], "fed000f0": []}
        with open(trace, encoding="ascii", errors="replace") as lines:
            for line in lines:
                if match := WRITE.search(line):
                    found.get(match[1], []).append(int(match[2], 16))
        return found

    def assert_once(self, found, count):
        numbers = list(range(1, count + 1))
        self.assertEqual(found["1200"], numbers, "OUT")
        self.assertEqual(found["1204"], list(range(3, 3 * count + 3)), "REP OUTS")
        self.assertEqual(found["fed000f0"], numbers, "writes to the timer")
        self.assertEqual(found["1300"], numbers, "messages")

    def test_each_effect_happens_once_without_flips(self):
        self.assert_once(self.effects_of(200, "", 0), 200)

    def test_each_effect_happens_once_while_500_flips_are_caught(self):
        self.assert_once(self.effects_of(500, "inject.rate=4 inject.seed=3", 500), 500)

    @long_test
    def test_each_effect_happens_once_under_flips_in_every_other_pe(self):
        for seed in range(1, 6):
            with self.subTest(seed=seed):
                found = self.effects_of(1000, f"inject.rate=2 inject.seed={seed}", 2000)
                self.assert_once(found, 1000)
