"""What a campaign's results say together: series of one kind over all programs, whether the injectors agree, how soon a fault is
detected, and where failures come from."""

import collections
from dataclasses import dataclass, field

from .. import tree
from . import inner, outcome, outer, symbols
from .statistics import clopper_pearson

# Runs that end other than they should, and nothing said so beforehand.
FAILURES = (outcome.CRASH, outcome.HANG, outcome.SDC, outcome.KERNEL_FAILURE)
DETECTED = (outcome.RECOVERED, outcome.EXCEPTION_RECOVERED, outcome.STOPPED)
UNKNOWN = (outcome.NOT_ACTIVATED, outcome.INJECTOR_FAILED)  # say nothing of the machine
ANYWHERE = "anywhere"


def share(hits, sample, confidence):
    low, high = clopper_pearson(hits, sample, confidence)
    return {"count": hits, "of": sample, "rate": hits / sample if sample else 0.0, "low": low, "high": high}


@dataclass
class Group:
    """Series that differ in their program only; of a hardened outer one the faults of one ring."""
    hardened: bool
    injector: str
    targets: str
    model: str
    ring: str              # "3", "0", or ANYWHERE
    programs: list = field(default_factory=list)
    counts: dict = field(default_factory=collections.Counter)
    dead: int = 0          # faults of which it is known without a run that they do nothing
    shared: int = 0        # faults that share another one's run
    said: int = 0          # failures of the kernel that it noticed itself: it said so and stopped

    @property
    def promised(self):
        """Whether the promise covers these faults (docs/fault-model.md). Control registers are the kernel's, most of them, while ring 3
        runs, too."""
        return self.hardened and self.ring == "3" and self.targets in inner.GROUPS

    @property
    def struck(self):
        return sum(count for name, count in self.counts.items() if name not in UNKNOWN)

    def count(self, *names):
        return sum(self.counts[name] for name in names)

    def as_json(self, confidence):
        return {"hardened": self.hardened, "injector": self.injector, "targets": self.targets, "model": self.model,
                "ring": self.ring, "promised": self.promised, "programs": self.programs, "struck": self.struck,
                "dead": self.dead, "shared": self.shared,
                "counts": {name: self.counts[name] for name in outcome.ALL}, "kernel_said": self.said,
                "sdc": share(self.count(outcome.SDC), self.struck, confidence),
                "failures": share(self.count(*FAILURES), self.struck, confidence)}


def _ring_of(series, details):
    if series.injector == "inner":
        return "3"
    if not series.hardened or series.targets in (outer.MEMORY, outer.KERNEL, outer.PAGE_TABLES):
        return ANYWHERE
    return str(details.get("ring", ANYWHERE))


def groups(campaign, results):
    """`results`: rows of each series by its name. The promised ones come first."""
    found = {}
    for series in campaign.series:
        for _, _, what, details in results[series.name]:
            key = series.hardened, series.injector, series.targets, series.model, _ring_of(series, details)
            group = found.setdefault(key, Group(*key))
            group.counts[what] += 1
            group.said += bool(details.get("said"))
            group.dead += "dead" in details
            group.shared += "same_as" in details
            if series.program not in group.programs:
                group.programs.append(series.program)
    return sorted(found.values(), key=lambda group: (not group.promised, group.targets, group.hardened, group.ring))


def absolutes(made):
    """Failures among all faults that there are, once and twice, for each target: sums over the programs that have both. `made`: the
    series of a summary. The ends of an interval are the sums of the programs' ends, so it is wider than need be."""
    found = {}
    for series in made:
        if series["injector"] == "outer" and series["done"]:
            place = found.setdefault((series["targets"], series["model"]), {}).setdefault(series["program"], {})
            place[series["hardened"]] = series
    rows = []
    for (targets, model), programs in found.items():
        both = [pair for pair in programs.values() if len(pair) == 2]
        if not both:
            continue
        row = {"targets": targets, "model": model, "programs": len(both)}
        for hardened, name in ((False, "once"), (True, "twice")):
            for what in ("sdc", "failures"):
                figures = [pair[hardened]["classes"][outcome.SDC] if what == "sdc" else pair[hardened]["failing"] for pair in both]
                row[f"{name}_{what}"] = {key: sum(each[key] for each in figures)
                                         for key in ("count", "absolute", "absolute_low", "absolute_high")}
        rows.append(row)
    return rows


def kind_of(target):
    """The kind of register that both injectors can hit, or None."""
    if target in (*outer.GENERAL, "rflags"):
        return "general"
    return "vector" if target.startswith(("xmm", "ymm")) else None


def _is_common(fault):
    """Whether the other injector could have made that fault, too."""
    if kind_of(fault["target"]) is None:
        return False
    return fault["target"] != "rflags" or fault["bit"] in set(inner.FLAGS) & set(outer.FLAGS)


def agreement(campaign, results, confidence):
    """Of faults in registers of ring 3 in programs that run twice, which both injectors can make: the share that is detected, for
    each program and kind of register. Sums over programs would differ: each injector has its own mix of them. Two intervals agree
    when they overlap."""
    counts = collections.defaultdict(lambda: {"inner": collections.Counter(), "outer": collections.Counter()})
    for series in campaign.series:
        if not series.hardened or series.model != "single" or series.targets not in outer.GROUPS:
            continue
        for _, fault, what, details in results[series.name]:
            if details.get("ring", 3) != 3 or what in UNKNOWN or not _is_common(fault):
                continue
            found = counts[series.program, kind_of(fault["target"])][series.injector]
            found["detected" if what in DETECTED else "failed" if what in FAILURES else what] += 1
    rows = []
    for (program, kind), both in sorted(counts.items()):
        if not all(both.values()):
            continue
        row = {"program": program, "kind": kind}
        for injector, found in both.items():
            row[injector] = share(found["detected"], sum(found.values()), confidence) | {"failed": found["failed"]}
        row["agree"] = row["inner"]["low"] <= row["outer"]["high"] and row["outer"]["low"] <= row["inner"]["high"]
        rows.append(row)
    return rows


def _most(fault, element):
    """Instructions from a fault of the inner injector to the end of the second run."""
    length, _ = element
    if fault["moment"] == "end":
        return length * (2 - fault["run"])
    return length * (2 - fault["run"]) + max(0, length - int(fault["moment"].removeprefix("at=")))


def percentiles(values):
    """The value at each percent, from 0 to 100; nothing of nothing."""
    ordered = sorted(values)
    return [ordered[(len(ordered) - 1) * percent // 100] for percent in range(101)] if ordered else []


def latencies(campaign, results, goldens):
    """Two lists of instructions, as percentiles() gives them. Of detected inner faults: at most how many of the program's own came
    before the comparison. Of outer ones that struck ring 3: how many more the machine ran in all."""
    until, more = [], []
    for series in campaign.series:
        for _, fault, what, details in results[series.name]:
            if not series.hardened or what not in DETECTED:
                continue
            if series.injector == "inner":
                until.append(_most(fault, goldens[series.name]["elements"][fault["pe"] - 1]))
            elif details.get("ring") == 3 and "took" in details:
                more.append(max(0, details["took"]))
    return percentiles(until), percentiles(more)


def restarts(campaign, results):
    """How often so many restarts mended a fault, for each injector."""
    found = {"inner": collections.Counter(), "outer": collections.Counter()}
    for series in campaign.series:
        for _, _, what, details in results[series.name]:
            if what in (outcome.RECOVERED, outcome.EXCEPTION_RECOVERED):
                found[series.injector][details.get("restarts", 0)] += 1
    return {injector: {str(number): count for number, count in sorted(counts.items())} for injector, counts in found.items()}


def _reader(details):
    """Memory that is not the kernel's file is named after the first code that reads it. In ring 3 the process is not known."""
    if "used_by" not in details:
        return "not the kernel's file"
    ring = 0 if details["used_by"] >> 63 else 3
    return f"read by {symbols.of(tree.kernel()).name(details['used_by'])}" if ring == 0 else "read by ring 3"


def origin(program, fault, details):
    """Where a failure came from: function and instruction that were struck; of memory the kernel's object, too. Nothing is known of
    an inner fault."""
    found = {}
    if "rip" in details:
        found["function"], found["instruction"] = symbols.place(details["ring"], details["rip"], program.command)
    if fault["target"] == outer.MEMORY and found:
        found["object"] = symbols.kernel_word(fault["address"]) or _reader(details)
    return found


def sources(made):
    """Failures by place, the most frequent first: the function and the register, or the object in memory."""
    found = collections.defaultdict(collections.Counter)
    for series in made:
        for failure in series["failures"]:
            if failure["outcome"] not in FAILURES or "function" not in failure:
                continue
            in_memory = failure["target"] == outer.MEMORY
            ring = ANYWHERE if in_memory else str(failure["ring"])
            place = failure["object"] if in_memory else failure["function"]
            found[series["targets"], series["hardened"], ring, place][failure["outcome"]] += 1
    rows = [{"targets": targets, "hardened": hardened, "ring": ring, "place": place, "counts": dict(counts)}
            for (targets, hardened, ring, place), counts in found.items()]
    return sorted(rows, key=lambda row: (row["targets"], row["hardened"], row["ring"], -sum(row["counts"].values()), row["place"]))
