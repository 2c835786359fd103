"""The time limit at each instruction position of the test guest. A special kernel (every_position/) ends the first run of each
PE behind one instruction, and both runs meet there. Where PEs began is compared with a trace that QEMU makes of the same guest
on a plain machine."""

import re
from dataclasses import dataclass

import plain_machine
from boot import LONG, long_test
from guests import GuestTest
from reprise import tree

IMAGE = range(0x100000, 0x120000)  # tests/guest/layout.asm: all code of the parts below lies there
PAGE = 12
# Parts that are short enough: some 25,000 positions each, most of them in building the page tables.
SHORT = ("flags", "iret", "demand", "int_n", "compatibility", "shadows", "syscalls", "msrs")


@dataclass
class Position:
    by_time: int    # PEs that began there behind one that time ended
    otherwise: int  # behind any other
    shadow: int     # first runs that went on there although they had stopped: in a shadow, or just behind
    redone: int     # attempts that ended there and were mismatches


class EveryPosition(GuestTest):
    cost = 20

    def trace(self, kernel):
        """What a plain machine prints, and the addresses of all instructions in the order in which it carries them out."""
        log = self.scratch / "trace"
        # One instruction a translation block, and no block chained to the next: so each is in the log.
        ran = plain_machine.run(kernel, "-singlestep", "-d", "exec,nochain", "-D", str(log),
                                "-dfilter", f"{IMAGE.start:#x}..{IMAGE.stop - 1:#x}")
        return ran.text, [int(rip, 16) for rip in re.findall(r"^Trace 0: \S+ \[\w+/(\w+)/", log.read_text(), re.MULTILINE)]

    def boot_part(self, kernel):
        """The outcome, the positions by their RIP, and the counts of first runs that time ended."""
        said = self.scratch / "positions"
        outcome = self.boot_guest(kernel, "pe.limit=200 pe.pages=64", second_serial=str(said), timeout=LONG,
                                  contents={"kernel": tree.kernel().with_name("every_position.elf")})
        positions, stints = {}, None
        for line in said.read_text().splitlines():
            kind, *words = line.split()
            if kind == "position":
                positions[int(words[0], 16)] = Position(*map(int, words[1:]))
            elif kind == "stints":
                stints = tuple(map(int, words))
        return outcome, positions, stints

    def check(self, part):
        kernel = plain_machine.test_guest(self.scratch, part)
        text, traced = self.trace(kernel)
        outcome, positions, (stopped, _, longer) = self.boot_part(kernel)
        self.assertEqual(outcome.program_output(), text)
        self.assert_run_twice(outcome)
        # No first run went past a position without a stop.
        self.assertEqual(longer, 0)
        # Each position of the trace was an end by time, or is named: behind an intercepted instruction, which ends the PE, or in
        # the shadow of STI or MOV SS, or behind the instruction in it. And no PE began where the plain machine never was.
        self.assertEqual(set(positions), set(traced))
        ends = self.report(outcome, "ends").number("time-limit")
        self.assertEqual(sum(position.by_time for position in positions.values()), ends)
        self.assertGreaterEqual(stopped, ends)
        # A mismatch stands nowhere. One can come at two kinds of positions (docs/guests.md): at the first instruction of a
        # page, and where the first run was in a shadow.
        named = {rip for before, rip in zip(traced, traced[1:]) if before >> PAGE != rip >> PAGE}
        named |= {rip for rip, position in positions.items() if position.shadow}
        redone = {rip: position.redone for rip, position in positions.items() if position.redone}
        self.assertLessEqual(set(redone), named)
        verdicts = self.report(outcome, "verdicts")
        self.assertEqual(verdicts.number("mismatches"), sum(redone.values()))
        self.assertLess(sum(redone.values()), 8)
        search = self.report(outcome, "convergence")
        self.assertEqual(search.number("failed"), 0)
        by_time = sum(position.by_time > 0 for position in positions.values())
        named_only = [position for position in positions.values() if not position.by_time and not position.otherwise]
        self.assertTrue(all(position.shadow or position.redone for position in named_only))
        return positions

    def test_both_runs_stop_at_each_position_of_the_part_about_shadows(self):
        positions = self.check("shadows")
        self.assertGreater(sum(position.by_time > 0 for position in positions.values()), 300)
        self.assertGreater(sum(position.shadow > 0 for position in positions.values()), 3)

    @long_test
    def test_both_runs_stop_at_each_position_of_each_short_part(self):
        for part in SHORT:
            with self.subTest(part):
                self.check(part)
