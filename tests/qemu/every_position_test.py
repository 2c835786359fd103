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
STI, MOV_SS, IRETQ = b"\xfb", b"\x8e\xd0", b"\x48\xcf"
# Parts that are short enough: some 25,000 positions each, most of them in building the page tables; up to 100,000.
SHORT = ("flags", "iret", "demand", "int_n", "compatibility", "shadows", "syscalls", "msrs", "faults", "user_faults",
         "breakpoints", "single_steps")


@dataclass
class Position:
    by_time: int    # PEs that began there behind one that time ended
    otherwise: int  # behind any other
    # First runs that went on there although they had stopped:
    shadow: int     # in the shadow of STI or MOV SS, or just behind the instruction in it
    resume: int     # with the resume flag, which an IRET has set
    page: int       # where the guest entered the page for the first time

    def ended(self):
        return self.by_time + self.otherwise

    def passed(self):
        return self.shadow + self.resume + self.page


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
        """The outcome, the positions by their RIP, and the counts of first runs that time ended. The first mismatch would end
        the guest."""
        said = self.scratch / "positions"
        outcome = self.boot_guest(kernel, "pe.limit=200 pe.pages=64 pe.restarts=0", second_serial=str(said), timeout=LONG,
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
        """Returns the positions, and how many first runs ended at a handler's first instruction."""
        kernel = plain_machine.test_guest(self.scratch, part)
        text, traced = self.trace(kernel)
        outcome, positions, (stopped, _, longer, handlers) = self.boot_part(kernel)
        self.assertEqual(outcome.program_output(), text)
        self.assert_run_twice(outcome)
        self.assert_no_mismatch(outcome)
        # No first run went past a position without a stop; where breakpoints come, it takes one to learn the way.
        self.assertLessEqual(longer, 1)
        # Each position of the trace was an end, or a first run went on there. And no PE began where the plain machine
        # never was.
        self.assertEqual(set(positions), set(traced))
        ends = self.report(outcome, "ends").number("time-limit")
        self.assertEqual(sum(position.by_time for position in positions.values()), ends)
        self.assertGreaterEqual(stopped + handlers, ends)
        search = self.report(outcome, "convergence")
        self.assertEqual(search.number("failed"), 0)
        self.assertTrue(all(position.ended() or position.passed() for position in positions.values()))
        self.assert_named(positions, traced, kernel.read_bytes())
        return positions, handlers

    def assert_named(self, positions, traced, image):
        """First runs went on where they may not end, and nowhere else: QEMU's trace and the code say where that is."""
        def begins_with(rip, *codes):
            return image[rip - IMAGE.start:].startswith(codes)

        addresses = sorted(set(traced))
        above = dict(zip(addresses, addresses[1:]))
        behind_shadow, behind_iret = set(), set()
        for before, rip, behind in zip(traced, traced[1:], traced[2:]):
            if begins_with(before, STI, MOV_SS):
                behind_shadow |= {rip, behind, above[rip]}  # an interrupt may come before the last one
            if begins_with(before, IRETQ):
                behind_iret.add(rip)
        passed = {name: {rip for rip, position in positions.items() if getattr(position, name)}
                  for name in ("shadow", "resume", "page")}
        self.assertLessEqual(passed["shadow"], behind_shadow)
        self.assertLessEqual(passed["resume"], behind_iret)
        pages = [rip >> PAGE for rip in passed["page"]]
        self.assertEqual(len(set(pages)), len(pages))

    def test_both_runs_stop_at_each_position_of_the_part_about_shadows(self):
        positions, _ = self.check("shadows")
        self.assertGreater(sum(position.by_time > 0 for position in positions.values()), 300)
        self.assertGreater(sum(position.shadow > 0 for position in positions.values()), 3)

    def test_both_runs_stop_at_each_position_of_the_part_about_faults_their_handlers_first_instructions_too(self):
        _, handlers = self.check("faults")
        self.assertGreater(handlers, 10)

    @long_test
    def test_both_runs_stop_at_each_position_of_each_short_part(self):
        for part in SHORT:
            with self.subTest(part):
                self.check(part)
