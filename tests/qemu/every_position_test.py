"""The time limit at each instruction position of the test guest. A special kernel (every_position/) ends the first run of each
PE behind one instruction, and both runs meet there. Where PEs began is compared with a trace that QEMU makes of the same guest
on a plain machine."""

import re
from array import array
from collections import Counter
from dataclasses import dataclass

import plain_machine
from boot import LONG, long_test
from guests import GuestTest
from reprise import guest, tree

# tests/guest/layout.asm: where code lies
IMAGE = range(0x100000, 0x120000)
WINDOW = range(0x40000000, 0x40200000)
PAGE = 12
# QEMU's trace. It names an instruction twice when timers were due before it, and when it reached a data breakpoint.
TRACED = re.compile(r"Trace 0: \S+ \[\w+/(\w+)/(\w+)/(\w+)\]")
PUT_OFF = "Stopped execution"
ANEW = 1 << 20       # of the block's flags (CF_NOIRQ)
LONG_MODE = 1 << 14  # of the CPU's; with it, paging is on
STI, MOV_SS, IRETQ = b"\xfb", b"\x8e\xd0", b"\x48\xcf"
# Loops that end when time has passed, so the machine says how often they turn: await_pending (tests/guest/timer.asm), and
# from its first instructions to its last one, INT 81h, what ring 3 does in the part about preemption.
AWAIT_PENDING = b"\xe4\x20\xa8\x01\x74\xfa"
PREEMPTED, LEAVE_USER = b"\xb9\xd0\x07\x00\x00\xb8\x01\x00\x00\x00\xbb\x02\x00\x00\x00", b"\xcd\x81"


@dataclass
class Trace:
    text: str        # what the machine printed
    rips: array      # of all instructions, in the order in which they were carried out
    entrances: dict  # page -> the RIP at which paging code first went there


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

    def trace(self, kernel, cpu):
        """What a plain machine carries out."""
        log = self.scratch / "trace"
        # One instruction a translation block, and no block chained to the next: so each is in the log.
        where = ",".join(f"{each.start:#x}..{each.stop - 1:#x}" for each in (IMAGE, WINDOW))
        ran = plain_machine.run(kernel, "-singlestep", "-d", "exec,nochain", "-D", str(log), "-dfilter", where, cpu=cpu)
        trace = Trace(ran.text, array("Q"), {})
        with log.open() as lines:
            for line in lines:
                found = TRACED.match(line)
                if line.startswith(PUT_OFF):
                    trace.rips.pop()
                if not found:
                    continue
                rip, cpu_flags, block_flags = (int(word, 16) for word in found.groups())
                if block_flags & ANEW:
                    trace.rips.pop()
                trace.rips.append(rip)
                if cpu_flags & LONG_MODE:
                    trace.entrances.setdefault(rip >> PAGE, rip)
        return trace

    def boot_part(self, kernel, cpu):
        """The outcome, the positions by their RIP, and the counts of first runs that time ended. The first mismatch would end
        the guest."""
        said = self.scratch / "positions"
        outcome = self.boot_guest(kernel, "pe.limit=200 pe.pages=64 pe.restarts=0", second_serial=str(said), timeout=LONG, cpu=cpu,
                                  contents={"kernel": tree.kernel().with_name("every_position.elf")})
        positions, stints = {}, None
        for line in said.read_text().splitlines():
            kind, *words = line.split()
            if kind == "position":
                positions[int(words[0], 16)] = Position(*map(int, words[1:]))
            elif kind == "stints":
                stints = tuple(map(int, words))
        return outcome, positions, stints

    def check(self, part, cpu=guest.CPU):
        """Returns the positions, and how many first runs ended at a handler's first instruction."""
        kernel = plain_machine.test_guest(self.scratch, part)
        trace = self.trace(kernel, cpu)
        outcome, positions, (stopped, _, longer, handlers) = self.boot_part(kernel, cpu)
        self.assertEqual(outcome.program_output(), trace.text)
        self.assert_run_twice(outcome)
        self.assert_no_mismatch(outcome)
        # No first run went past a position without a stop.
        self.assertEqual(longer, 0)
        # No PE began where the plain machine never was.
        self.assertEqual(set(positions), set(trace.rips))
        image = kernel.read_bytes()
        self.assert_each_position_each_time(positions, trace, image)
        self.assert_named(positions, trace, image)
        ends = self.report(outcome, "ends").number("time-limit")
        self.assertEqual(sum(position.by_time for position in positions.values()), ends)
        self.assertGreaterEqual(stopped + handlers, ends)
        search = self.report(outcome, "convergence")
        self.assertEqual(search.number("failed"), 0)
        return positions, handlers

    def assert_each_position_each_time(self, positions, trace, image):
        """Each time that the plain machine came to a position, a PE began there, or a first run went on there."""
        waiting = image.index(AWAIT_PENDING) + IMAGE.start
        preempted = image.index(PREEMPTED)
        waits = {*range(waiting, waiting + len(AWAIT_PENDING)),
                 *range(preempted + IMAGE.start, image.index(LEAVE_USER, preempted) + IMAGE.start)}
        for rip, times in Counter(trace.rips).items():
            self.assertGreaterEqual(positions[rip].ended() + positions[rip].passed(), 1 if rip in waits else times, hex(rip))

    def assert_named(self, positions, trace, image):
        """First runs went on where they may not end, and nowhere else: QEMU's trace and the code say where that is."""
        def begins_with(rip, *codes):
            return image.startswith(codes, rip - IMAGE.start)

        addresses = sorted(set(trace.rips))
        above = dict(zip(addresses, addresses[1:]))
        behind_shadow, behind_iret = set(), set()
        for before, rip, behind in zip(trace.rips, trace.rips[1:], trace.rips[2:]):
            if begins_with(before, STI, MOV_SS):
                behind_shadow |= {rip, behind, above[rip]}  # an interrupt may come before the last one
            if begins_with(before, IRETQ):
                behind_iret.add(rip)
        passed = {name: {rip for rip, position in positions.items() if getattr(position, name)}
                  for name in ("shadow", "resume", "page")}
        self.assertLessEqual(passed["shadow"], behind_shadow)
        self.assertLessEqual(passed["resume"], behind_iret)
        for rip in passed["page"]:
            self.assertEqual(rip, trace.entrances[rip >> PAGE])

    def test_both_runs_stop_at_each_position_of_the_part_about_shadows(self):
        positions, _ = self.check("shadows")
        self.assertGreater(sum(position.by_time > 0 for position in positions.values()), 300)
        self.assertGreater(sum(position.shadow > 0 for position in positions.values()), 3)

    def test_both_runs_stop_at_each_position_of_the_part_about_faults_their_handlers_first_instructions_too(self):
        _, handlers = self.check("faults")
        self.assertGreater(handlers, 10)

    @long_test
    def test_both_runs_stop_at_each_position_of_each_part(self):
        parts = re.findall(r"^part (\w+) ok", plain_machine.run(plain_machine.test_guest()).text, re.MULTILINE)
        self.assertGreater(len(parts), 28)
        for part in parts:
            with self.subTest(part):
                self.check(part)

    @long_test
    def test_both_runs_stop_at_each_position_of_the_part_about_vectors_with_avx(self):
        self.check("vectors", "max")
