"""The timeline of scripts/run --trace: what the kernel says of each PE on the second serial port, as Trace Event JSON
for ui.perfetto.dev. docs/timeline.md has the lines and what they become.

All of it is a stream: lines -> Element -> events -> file. Memory holds one PE at a time, however long the program."""

import json
import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from . import events, machine

ARGUMENT = "com2"  # of timeline=
HEADER = "reprise-timeline 2"
# In the order of dwc::PeEnd::Kind and dwc::Verdict (libdwc/interface.hpp, findings.hpp).
ENDS = ("system-call", "exception", "exit", "page-budget", "out-of-frames", "time-limit", "watchdog",
        "unexpected-write", "control-bits")
VERDICTS = ("divergence", "snapshot-corrupt", "unresolved", "machine-check", "nondeterministic")
FATES = ("died-out", "caught", "stopped")  # the first three of FlipFate
# In the order in which a PE goes through them, and in which a record has them.
PHASES = ("load", "first run", "write faults", "rewind", "flush", "second run", "search", "compare and commit")
FAILURES = ("mismatch", "missed", "machine-check")
OUTCOMES = (*FAILURES, "committed", "given-up")
INIT = 1


class TimelineError(Exception):
    """The timeline cannot be written; the text says why."""


@dataclass
class Attempt:
    outcome: str
    phases: tuple              # nanoseconds of each of PHASES


@dataclass
class Element:
    process: int
    number: int                # of the PE in its process, from 1
    begin: int                 # nanoseconds
    took: int
    end: str                   # one of ENDS or VERDICTS
    vector: int
    flips: tuple               # of the whole machine so far, by FATES
    modified: int              # pages of the process so far, summed over its PEs
    faults: int                # write faults of the process so far
    failed: int                # attempts
    attempts: list = field(default_factory=list)  # the kernel keeps the first few and the last; none: it ran once


class Reader:
    """Takes the port's lines apart. A line that the port has damaged costs its PE, which `damaged` counts."""

    def __init__(self):
        self.damaged = 0
        self.begun = False

    def elements(self, lines):
        element, left = None, 0
        for line in lines:
            words = line.split()
            if words and not self.begun:
                self.begun = line.strip() == HEADER  # before: what a boot loader wrote there
                continue
            attempt = _attempt(words) if element else None
            if attempt:
                element.attempts.append(attempt)
                left -= 1
            elif words and line.strip() != HEADER:
                self.damaged += element is not None
                element, left = _element(words)
                self.damaged += element is None and words[0] != "a"
            if element and left == 0:
                yield element
                element = None
        self.damaged += element is not None


def _numbers(words):
    return [int(word) for word in words] if all(word.isascii() and word.isdecimal() for word in words) else None


def _attempt(words):
    phases = _numbers(words[2:])
    if words[:1] != ["a"] or len(words) != 2 + len(PHASES) or words[1] not in OUTCOMES or phases is None:
        return None
    return Attempt(words[1], tuple(phases))


def _element(words):
    """The element, and how many lines of attempts follow."""
    if len(words) != 15 or words[0] != "p" or words[5] not in ("end", "verdict"):
        return None, 0
    numbers = _numbers(words[1:5] + words[6:])
    names = ENDS if words[5] == "end" else VERDICTS
    if numbers is None or numbers[4] >= len(names):
        return None, 0
    process, number, begin, took, end, vector, *rest = numbers
    return Element(process, number, begin, took, names[end], vector, tuple(rest[:3]), *rest[3:6]), rest[6]


def microseconds(nanoseconds):
    """As the format wants them. Perfetto multiplies by 1000 and cuts the rest off, so a number that is a trifle below
    the decimal would lose a nanosecond, and a phase would stick out of its PE."""
    value = nanoseconds / 1000
    return value if int(value * 1000.0) == nanoseconds else math.nextafter(value, math.inf)


class Console:
    """What only the console says: the processes' names, and which bits flipped."""

    EVENTS = ("started", "exit", "flip")

    def __init__(self, found=()):
        self.names = {INIT: "init"}
        self._flips = {}
        for event in found:
            if event.name in ("started", "exit"):
                self.names[event.number("pid")] = event["process"]
            if event.name == "flip":
                self._flips.setdefault((event["process"], event.number("pe"), event["outcome"]), []).append(event)

    def name(self, process):
        return self.names.get(process, f"process {process}")

    def next_flip(self, element, fate):
        """One of the flips of that fate in the PE, as args; empty where the console says nothing of it."""
        found = self._flips.get((self.name(element.process), element.number, fate))
        if not found:
            return {}
        flip = found.pop(0)
        return {key: flip[key] for key in ("run", "moment", "target", "bit")}


class Converter:
    """Makes events of elements that come in the order in which the machine ran them."""

    def __init__(self, console):
        self._console = console
        self._before = {}                 # process -> its last element
        self._flips = (0,) * len(FATES)   # settled before

    def events(self, elements):
        for element in elements:
            if element.process not in self._before:
                yield from self._introduce(element.process)
            found = self._events_of(element)
            yield from sorted(found, key=lambda event: event["ts"])  # stable: what holds others stays before them
            self._before[element.process] = element
            self._flips = element.flips

    def _introduce(self, process):
        for name, args in (("process_name", {"name": self._console.name(process)}),
                           ("process_sort_index", {"sort_index": process}), ("thread_name", {"name": "PEs"})):
            yield {"ph": "M", "pid": process, "tid": process, "name": name, "args": args}

    def _events_of(self, element):
        def slice_of(name, begin, took, **args):
            return {"ph": "X", "pid": element.process, "tid": element.process, "cat": "pe", "name": name,
                    "ts": microseconds(begin), "dur": microseconds(took), "args": args}

        def instant(name, at, **args):
            return {"ph": "i", "s": "t", "pid": element.process, "tid": element.process, "cat": "fault", "name": name,
                    "ts": microseconds(at), "args": args}

        found = [slice_of(f"PE {element.number}", element.begin, element.took, **self._arguments(element))]
        at, first_failure = element.begin, None
        for place, attempt in enumerate(element.attempts, 1):
            if len(element.attempts) > 1:
                found.append(slice_of(f"attempt {place}", at, sum(attempt.phases), outcome=attempt.outcome))
            for name, took in zip(PHASES, attempt.phases):
                if took:
                    found.append(slice_of(name, at, took))
                at += took
            if attempt.outcome in FAILURES:
                first_failure = first_failure or at
                found.append(instant(attempt.outcome, at, pe=element.number, attempt=place))
        end = element.begin + element.took
        for fate, before, after in zip(FATES, self._flips, element.flips):
            where = first_failure if fate == "caught" and first_failure else end
            found += [instant(f"flip {fate}", where, pe=element.number, **self._console.next_flip(element, fate))
                      for _ in range(after - before)]
        return found

    def _arguments(self, element):
        ran_twice = bool(element.attempts)
        given_up = ran_twice and element.attempts[-1].outcome == "given-up"
        arguments = {"pe": element.number, "verdict" if given_up else "end": element.end}
        if element.end == "exception":
            arguments["vector"] = element.vector
        if not ran_twice:
            return {**arguments, "hardened": False}
        before = self._before.get(element.process)
        if element.number == 1 or before and before.number == element.number - 1:
            arguments["modified_pages"] = element.modified - (before.modified if before else 0)
            arguments["write_faults"] = element.faults - (before.faults if before else 0)
        arguments["restarts"] = element.failed - given_up
        for failure, key in zip(FAILURES, ("mismatches", "missed_searches", "machine_checks")):
            arguments[key] = sum(attempt.outcome == failure for attempt in element.attempts)
        return arguments


def write(found, file, clock, command=""):
    """The events as JSON, one a line, with the clock by name. Returns how many PEs they are."""
    about = {"clock": clock, "command": command, "format": HEADER}
    file.write(f'{{"displayTimeUnit": "ns", "otherData": {json.dumps(about)}, "traceEvents": [')
    pes, separator = 0, "\n"
    for event in found:
        pes += event["name"].startswith("PE ") and event["ph"] == "X"
        file.write(separator + json.dumps(event))
        separator = ",\n"
    file.write("\n]}\n")
    return pes


def clock_of(settings):
    shift = machine.icount_shift(settings)
    if shift is None:
        return "nanoseconds of the guest's clock, real time"
    each = "each is one instruction" if shift == 0 else f"{1 << shift} of them are one instruction"
    return f"guest nanoseconds, {each} (QEMU -icount shift={shift})"


class Recording:
    """What a machine says while it runs, and FILE as what becomes of it; however the run ends.

        with Recording(path, clock, command) as recording:
            settings.second_serial = recording.port
            machine.run(iso, settings, recording.listening(show))
        print(recording.summary)
    """

    def __init__(self, path, clock, command=""):
        self._clock, self._command = clock, command
        self._path, self._console, self._line = path, [], ""
        self.summary = ""
        try:
            self._file = open(path, "w", encoding="utf-8")  # now: nobody wants to hear of it after the run
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error):
        return TimelineError(f"--trace {self._path}: cannot be written: {error.strerror}")

    def __enter__(self):
        self._scratch = tempfile.TemporaryDirectory(prefix="reprise-timeline-")
        self.port = str(Path(self._scratch.name) / "com2")
        return self

    def listening(self, show):
        """`show`, and the events that a timeline needs are kept."""
        def hear(text):
            show(text)
            *lines, self._line = (self._line + text).split("\n")
            self._console += [event for event in map(events.parse_event, lines)
                              if event and event.name in Console.EVENTS]
        return hear

    def __exit__(self, *_):
        with self._scratch, self._file:
            try:
                with open(self.port, encoding="utf-8", errors="replace") as port:
                    self.summary = self._path + ": " + convert(port, self._file, self._console, self._clock,
                                                               self._command)
                self._file.flush()
            except FileNotFoundError:  # no machine has run
                self._file.write("{\"traceEvents\": []}\n")
            except OSError as error:
                raise self._unwritable(error) from error


def convert(port, file, console, clock, command=""):
    """Makes the port's lines a timeline, with the console's events for names. Returns what a person should know."""
    reader, converter = Reader(), Converter(Console(console))
    pes = write(converter.events(reader.elements(port)), file, clock, command)
    if not reader.begun:
        return ("no PE: nothing came over the second serial port. The machine did not get as far as its first program, "
                "or timeline=off is among its arguments")
    lost = f"; {reader.damaged} records were damaged on their way and are left out" if reader.damaged else ""
    return f"{pes} PEs (open it in ui.perfetto.dev){lost}"
