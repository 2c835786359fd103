"""The injector outside the machine: QEMU's plugin of tests/fault_plugin. One fault for each boot, in ring 3 or ring 0,
before any instruction from the program's first one to the machine's end."""

import dataclasses
from pathlib import Path

from .. import tree
from . import CampaignError, InjectionError
from .outcome import KERNEL_FAILURE, MASKED, NOT_ACTIVATED, classify, seen_from
from .victim import NUMBERS, entry_of, restarts_of, seen_of, segments_of

GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", *(f"r{n}" for n in range(8, 16)), "rip")
WORD = tuple(range(64))
FLAGS = (0, 2, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 19, 20, 21)
TABLE_ADDRESS = tuple(range(12, 40))  # the bits of CR3 that name a frame; QEMU's CPU has 40 address bits
GROUPS = {
    "general": {name: WORD for name in GENERAL},
    "flags": {"rflags": FLAGS},
    "vector": {f"ymm{n}": tuple(range(256)) for n in range(16)},
    "control": {"fs_base": WORD, "gs_base": WORD, "k_gs_base": WORD, "cr2": WORD, "cr3": TABLE_ADDRESS},
}
GROUPS["registers"] = {name: bits for group in ("general", "flags", "vector") for name, bits in GROUPS[group].items()}
MEMORY, KERNEL = "memory", "kernel"  # all of it, or what the kernel's file takes up
PAGE_TABLES = "page-tables"  # those of the user's half of the address space that is in force
ALL = (*GROUPS, MEMORY, KERNEL, PAGE_TABLES)
DRAWS = 1 << 48  # a word of the page tables is drawn as a number, of which the plugin takes the remainder by their count
KEPT, WRITTEN, READ, UNSEEN = "kept", "written", "read", "unseen"  # the plugin's words for what came next to a byte
DEAD = (KEPT, WRITTEN)  # a flip before that does nothing
FIRST_MEGABYTE = 1 << 20  # below it are the firmware's tables and the screen
# A run with a fault may take so many times the golden one's instructions, and so many more for searches and restarts.
PATIENCE, MORE = 3, 100_000_000


def _fields(line):
    return {key: int(value, 0) for key, value in (word.split("=") for word in line.split())}


def read_report(text):
    """The plugin's report: fields by the first word of their line."""
    lines = (line.partition(" ") for line in text.splitlines())
    return {name: {} if rest == "unmarked" else _fields(rest) for name, _, rest in lines}


@dataclasses.dataclass(frozen=True)
class Watched:
    """What came of a byte from an instruction on, in a run without a fault."""
    end: str       # "kept" to the run's end, "written", "read", "unseen"
    at: int        # the instruction from which it was watched
    interval: int  # the same number: no access came between
    by: int        # address of the instruction that wrote or read it, or of the block that it is in
    machine: dict  # what it was like there: ring, rip, cr3


def read_watches(text):
    """The plugin's lines about watched bytes, in the order in which they were asked for. One that did not begin is not there."""
    found = []
    for line in text.splitlines():
        end, _, rest = line.partition(" ")
        if end in (*DEAD, READ, UNSEEN):
            told = _fields(rest)
            found.append((told["number"], Watched(end, told["at"], told["interval"], told["by"],
                                                  {key: told[key] for key in ("ring", "rip", "cr3")})))
    return dict(found)


def words_of(targets, mebibytes):
    """Physical addresses of the words of memory that faults can hit, as ranges; none: they hit registers."""
    if targets == MEMORY:
        return [range(FIRST_MEGABYTE, mebibytes << 20, 8)]
    if targets == KERNEL:
        return [range(each.physical, each.physical + each.in_memory // 8 * 8, 8)
                for each in segments_of(tree.kernel().read_bytes())]
    return []


class Outer:
    def __init__(self, series, victim):
        if series.targets not in ALL:
            raise CampaignError(f"series {series.name!r}: targets is one of {', '.join(ALL)}")
        self._series, self._victim = series, victim
        self._words = words_of(series.targets, victim.memory)
        self._entry, self._code = entry_of(victim.path)
        self._numbers = NUMBERS

    def golden(self, scratch):
        """What a run without a fault is like. It can be stored as JSON. It is made from reset and from the state that start() keeps.
        If these differ, all runs are made from reset."""
        outcome, report = self._boot(scratch, {})
        self._start(scratch)
        again = self._boot(scratch, {})
        if (again[0].console, again[1]) != (outcome.console, report):
            self._victim.forget_start()
        seen = seen_of(outcome, self._victim.process)
        if "marker" not in report or "end" not in report or seen.status is None:
            raise CampaignError(f"{self._victim.process} does not run:\n{outcome.console[-1500:]}")
        found = {"first": report["marker"]["at"], "end": report["end"]["at"], **dataclasses.asdict(seen)}
        if self._series.targets == PAGE_TABLES:
            found["table_words"] = self._table_words(scratch, (found["first"] + found["end"]) // 2)
        return found

    def _table_words(self, scratch, at):
        """How many words the page tables have at that instruction. The number changes as a program runs; one from its middle
        stands for all."""
        _, report = self._boot(scratch, {"at": at, "target": PAGE_TABLES, "draw": 0, "bit": 0, "limit": at + 1})
        if "fault" not in report:
            raise CampaignError(f"the plugin did not find the page tables at instruction {at}")
        return report["fault"]["words"]

    def _bits(self, golden):
        if self._series.targets == PAGE_TABLES:
            return golden["table_words"] * 64
        if self._words:
            return sum(map(len, self._words)) * 64
        return sum(map(len, GROUPS[self._series.targets].values()))

    def population(self, golden):
        """Instructions times bits: all faults that there are."""
        return (golden["end"] - golden["first"]) * self._bits(golden)

    def draw(self, golden, random):
        place, at = random.randrange(self._bits(golden)), random.randrange(golden["first"], golden["end"])
        fault = {"at": at, "model": self._series.model}
        if self._series.model == "stuck":
            fault["for"] = self._series.duration
        if self._series.targets == PAGE_TABLES:
            return {**fault, "target": PAGE_TABLES, "draw": random.randrange(DRAWS), "bit": place % 64}
        word, bit = divmod(place, 64)
        for addresses in self._words:
            if word < len(addresses):
                return {**fault, "target": MEMORY, "address": addresses[word], "bit": bit}
            word -= len(addresses)
        for name, bits in GROUPS[self._series.targets].items():
            if place < len(bits):
                return {**fault, "target": name, "bit": bits[place]}
            place -= len(bits)
        raise AssertionError("a place behind the last bit")

    def resolve(self, golden, faults, scratch):
        """What is known of each fault without making it, from one run without a fault:
        {"dead": why, place}                  it does nothing: the byte is written before it is read, or not used any more
        {"same_as": N, "used_by": by, place}  it is the same as number N of `faults`: nothing uses the byte between the two
        {"used_by": by} or {}                 it is to be made; code at address `by` reads the byte first, if anybody knows
        """
        watches = Path(scratch) / f"watches-{next(self._numbers)}"
        watches.write_text("".join(f"{fault['at']} {fault['address'] + fault['bit'] // 8}\n" for fault in faults), encoding="ascii")
        outcome, text = self._boot_told(scratch, {"watch": watches})
        watches.unlink()
        report, found = read_report(text), read_watches(text)
        before = seen_from(golden)
        ends = report.get("marker", {}).get("at"), report.get("end", {}).get("at")
        if ends != (golden["first"], golden["end"]) or classify(seen_of(outcome, self._victim.process), before) != MASKED:
            raise CampaignError(f"{self._series.name}: the run that watches memory differs from the golden one")
        first, known = {}, []
        for number, fault in enumerate(faults):
            watched = found.get(number)
            if watched is None or watched.at != fault["at"]:
                raise CampaignError(f"{self._series.name}: fault {number} was not watched from its instruction on")
            if watched.end in DEAD:
                known.append({"dead": watched.end, **watched.machine})
                continue
            if watched.end != READ:
                known.append({})
                continue
            one = first.setdefault((watched.interval, fault["bit"] % 8), number)
            known.append({"used_by": watched.by} | ({"same_as": one, **watched.machine} if one != number else {}))
        return known

    def divide(self, faults):
        """One fault for each boot."""
        return [[number] for number in range(len(faults))]

    def run(self, golden, faults, scratch):
        """The class and the circumstances of each fault."""
        return [self._run_one(golden, fault, scratch) for fault in faults]

    def _run_one(self, golden, fault, scratch):
        outcome, report = self._boot(scratch, {**fault, "limit": golden["end"] * PATIENCE + MORE})
        seen, before = seen_of(outcome, self._victim.process, hang="limit" in report), seen_from(golden)
        if not outcome.timed_out and not {"end", "limit"} & set(report):
            raise InjectionError(f"QEMU has died, status {outcome.status}")
        strike = report.get("fault")
        if strike is None:
            if classify(seen, before) != classify(before, before):
                raise InjectionError("no fault has struck, and yet the run differs from the golden one")
            return NOT_ACTIVATED, {}
        if strike["at"] != fault["at"]:
            raise InjectionError(f"the fault has struck at {strike['at']}")
        took = report.get("end", {}).get("at", golden["end"]) - golden["end"]  # instructions more than without the fault
        found = classify(seen, before)
        said = {"said": seen.broken} if found == KERNEL_FAILURE else {}
        entry = {"entry": strike["before"]} if fault["target"] == PAGE_TABLES else {}  # 0: nothing is mapped there
        return found, {"ring": strike["ring"], "rip": strike["rip"], "cr3": strike["cr3"], "took": took, **entry, **said,
                       **restarts_of(outcome)}

    def repeat(self, golden, fault, scratch):
        """The machine's outcome with that fault, for a person who looks into it."""
        return self._boot(scratch, {**fault, "limit": golden["end"] * PATIENCE + MORE})[0]

    def _plugin(self, report, words):
        words = {"report": report, "marker": self._entry, "code": self._code.hex(), **words}
        return ["-plugin", ",".join([str(tree.fault_plugin()), *(f"{key}={value}" for key, value in words.items())])]

    def _start(self, scratch):
        """All runs go on from a state in which the program has not begun: the plugin has not seen the marker, and says so."""
        report = Path(scratch) / f"report-{next(self._numbers)}"
        self._victim.start(self._plugin(report, {}), lambda: report.read_text(encoding="utf-8") == "end unmarked\n")
        report.unlink(missing_ok=True)

    def _boot(self, scratch, words):
        outcome, text = self._boot_told(scratch, words)
        return outcome, read_report(text)

    def _boot_told(self, scratch, words):
        """The outcome, and what the plugin reports of it."""
        report = Path(scratch) / f"report-{next(self._numbers)}"
        outcome = self._victim.boot_on(self._plugin(report, words))
        if not report.exists():
            raise InjectionError(f"QEMU did not take the plugin: {outcome.raw[-1500:]}")
        try:
            return outcome, report.read_text(encoding="utf-8")
        finally:
            report.unlink()

