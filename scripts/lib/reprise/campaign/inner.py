"""The injector inside the kernel (`inject=`): single bits in either run of a program's processing elements. Registers are hit after
any instruction, modified pages at a run's end, when all of them are there. The snapshot is hit there, too: nothing reads it while
a run goes on. Many faults for each boot, one for each processing element."""

import dataclasses
from pathlib import Path

from .. import timeline
from . import CampaignError
from .outcome import CRASH, HANG, KERNEL_FAILURE, MASKED, NOT_ACTIVATED, RECOVERED, SDC, STOPPED, classify, seen_from
from .outer import GENERAL, WORD
from .victim import NUMBERS, restarts_of, seen_of

FLAGS = (0, 2, 4, 6, 7, 8, 10, 11, 14, 18, 21)  # those that ring 3 can have
PAGES, SNAPSHOT = "pages", "snapshot"
GROUPS = {
    "general": {name: WORD for name in GENERAL},
    "flags": {"rflags": FLAGS},
    "vector": {f"{register}{n}.{word}": WORD for register, words in (("xmm", (0, 1)), ("ymm", (2, 3))) for n in range(16)
               for word in words},
    PAGES: {},
}
GROUPS["registers"] = {name: bits for group in ("general", "flags", "vector") for name, bits in GROUPS[group].items()}
GROUPS[SNAPSHOT] = {f"snapshot.{name}": bits for name, bits in GROUPS["registers"].items()}
PAGE_NAMES = {PAGES: "page", SNAPSHOT: "snapshot.page"}  # of the targets that have pages
PAGE_WORDS = 512
MOST = 64  # faults for each boot: as many as inject= takes
BAD = (STOPPED, CRASH, HANG, SDC, KERNEL_FAILURE)  # what the boot of several faults that are all harmless does not end as
FATES = {"died-out": MASKED, "caught": RECOVERED, "stopped": STOPPED, "no-target": NOT_ACTIVATED}


class Inner:
    def __init__(self, series, victim):
        if series.targets not in GROUPS:
            raise CampaignError(f"series {series.name!r}: targets is one of {', '.join(GROUPS)}")
        self._series, self._victim, self._numbers = series, victim, NUMBERS

    def golden(self, scratch):
        """What a run without a fault is like, with [instructions, modified pages] of each processing element. It can be
        stored as JSON."""
        records = Path(scratch) / "records"
        outcome = self._victim.boot(self._victim.image("records", f"timeline={timeline.ARGUMENT}"),
                                    second_serial=str(records))
        process = self._process_of(outcome)
        with records.open(encoding="utf-8", errors="replace") as lines:
            found = [each for each in timeline.Reader().elements(lines) if each.process == process]
        seen = seen_of(outcome, self._victim.process)
        if not found or seen.status is None:
            raise CampaignError(f"{self._victim.process} does not run:\n{outcome.console[-1500:]}")
        return {"elements": _lengths(found), **dataclasses.asdict(seen)}

    def _process_of(self, outcome):
        for event in outcome.events("started"):
            if event["process"] == self._victim.process:
                return event.number("pid")
        raise CampaignError(f"the log does not say that {self._victim.process} was started")

    def _spaces(self, golden):
        """Faults of each processing element: instructions of both runs, times bits."""
        targets = self._series.targets
        registers, page = sum(map(len, GROUPS[targets].values())), PAGE_WORDS * 64 if targets in PAGE_NAMES else 0
        return [2 * length * (registers + pages * page) for length, pages in golden["elements"]]

    def population(self, golden):
        return sum(self._spaces(golden))

    def draw(self, golden, random):
        place = random.randrange(self.population(golden))
        for number, space in enumerate(self._spaces(golden)):
            if place < space:
                break
            place -= space
        length, pages = golden["elements"][number]
        place, run = divmod(place, 2)
        place, offset = divmod(place, length)
        page_name = PAGE_NAMES.get(self._series.targets)
        fault = {"pe": number + 1, "run": run + 1, "moment": "end" if page_name else f"at={offset + 1}"}
        for name, bits in GROUPS[self._series.targets].items():
            if place < len(bits):
                return {**fault, "target": name, "bit": bits[place]}
            place -= len(bits)
        word, bit = divmod(place, 64)
        page, word = divmod(word, PAGE_WORDS)
        if page_name is None or page >= pages:
            raise AssertionError("a place behind the last bit")
        return {**fault, "target": f"{page_name}.{page}.{word}", "bit": bit}

    def divide(self, faults):
        """Faults in different processing elements share a boot: the fate of two in one could not be told apart. One in the snapshot
        has a boot of its own, as many of them stop the program."""
        if self._series.targets == SNAPSHOT:
            return [[number] for number in range(len(faults))]
        jobs = []
        for number, fault in enumerate(faults):
            for job, elements in jobs:
                if len(job) < MOST and fault["pe"] not in elements:
                    break
            else:
                job, elements = [], set()
                jobs.append((job, elements))
            job.append(number)
            elements.add(fault["pe"])
        return [job for job, _ in jobs]

    def run(self, golden, faults, scratch):
        """The class and the circumstances of each fault. When anything is wrong at the end of a boot with several faults, they are
        divided over two boots, and so on, until it is known whose work that is."""
        outcome = self._boot(faults)
        seen = seen_of(outcome, self._victim.process)
        restarts, whole = restarts_of(outcome), seen_from(golden)
        as_golden = classify(dataclasses.replace(seen, differences=0), whole) == MASKED
        told = {_key_of_event(event): event["outcome"] for event in outcome.events("flip")}
        fates = [told.get(_key(fault)) for fault in faults]
        if as_golden and None not in fates:
            # With one restart for each fault that was caught, each has had one.
            alike = restarts.get("restarts", 0) == fates.count("caught")
            return [(FATES[fate], {"restarts": 1} if alike and fate == "caught" else {}) for fate in fates]
        if len(faults) > 1:
            middle = len(faults) // 2
            found = self.run(golden, faults[:middle], scratch) + self.run(golden, faults[middle:], scratch)
            return found if as_golden else _with_whole(found, classify(seen, whole))
        if fates == [None] and as_golden and seen.differences == 0:
            return [(NOT_ACTIVATED, {})]
        return [(classify(seen, whole), restarts)]

    def repeat(self, golden, fault, scratch):
        """The machine's outcome with that fault, for a person who looks into it."""
        return self._boot([fault])

    def _boot(self, faults):
        items = ",".join(f"{self._victim.process}:{f['pe']}:{f['run']}:{f['target']}:{f['bit']}:{f['moment']}"
                         for f in faults)
        iso = self._victim.image(f"inner-{next(self._numbers)}", f"inject={items}")
        try:
            return self._victim.boot(iso)
        finally:
            Path(iso).unlink()


def _with_whole(found, what):
    """Results of a bad boot's halves. When all of them are good, nobody is to blame for the whole: each says how that ended."""
    if any(each in BAD for each, _ in found):
        return found
    return [(each, {"together": what, **details}) for each, details in found]


def _lengths(elements):
    """[instructions, modified pages] of each. A record has the sum of pages so far."""
    before, lengths = 0, []
    for number, each in enumerate(elements, 1):
        if each.number != number or not each.attempts:
            raise CampaignError("the records of the processing elements are not whole")
        lengths.append([max(1, each.attempts[0].phases[1]), each.modified - before])
        before = each.modified
    return lengths


def _key(fault):
    return fault["pe"], fault["run"], fault["target"], fault["bit"]


def _key_of_event(event):
    return event.number("pe"), event.number("run"), event["target"], event.number("bit")

