"""Counts the instructions that ring 0 executes, by symbol and by phase of a PE: boots programs in
QEMU with the plugin.

Guest time counts instructions there (-icount), so a count repeats to the digit. What a boot costs
beside the PEs goes away in the difference of two runs of unlike length.
"""

import bisect
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "scripts" / "lib"), str(HERE.parents[1] / "tests" / "guest")]

import small_guest  # noqa: E402
from reprise import guest, image, machine, tree  # noqa: E402

EXPECTED = HERE / "expected.json"
RENEW = "tests/instruction_count/count --standard --update"
TOLERANCE = 0.02  # of a recorded figure, before its change must be looked at
LEAST = 2         # instructions per PE that a small figure may be off
CLOCK = "2024-02-29T12:00:00"  # the wall clock at power on


@dataclass(frozen=True)
class Measure:
    """A workload: a run, a shorter one that is taken away from it, and kernel arguments."""
    longer: list
    shorter: list
    arguments: str = ""

    def __str__(self):
        append = f"--append '{self.arguments}' " if self.arguments else ""
        return f"{append}--less '{' '.join(self.shorter)}' {' '.join(self.longer)}"


MEASURES = {
    "vectors": Measure(["vectors", "420"], ["vectors", "20"]),
    "pages": Measure(["pages", "10", "500"], ["pages", "10", "100"]),
    "write faults": Measure(["pages", "10", "500"], ["pages", "10", "100"], "policy=classic"),
    # The shorter run lasts until the drivers are idle, which takes 15,000 rounds.
    "time limit": Measure(["sweep", "0", "180000"], ["sweep", "0", "20000"], "pe.limit=200"),
    "time limit, ten pages":
        Measure(["sweep", "10", "180000"], ["sweep", "10", "20000"], "pe.limit=200"),
    "guest, the kernel answers": Measure(["guest", "time_stamp", "2200"], ["guest", "time_stamp", "200"]),
    "guest, the kernel answers, one page":
        Measure(["guest", "time_stamp_page", "2200"], ["guest", "time_stamp_page", "200"]),
    "guest, the monitor answers": Measure(["guest", "port", "1200"], ["guest", "port", "200"]),
}
GUEST = "guest"  # as a program: the small guest, its part, and how many rounds (tests/guest)

# The report's phases that are ring 0's; see docs/log-format.md, event `times`.
PHASES = ("load", "fault", "rewind", "flush", "convergence", "compare_commit")
REST = "rest"
TOTAL = "total"


class CountError(Exception):
    """A run gave no counts; the text says why."""


@dataclass
class Counts:
    """What ring 0 executed in one run, or in the difference of two."""
    pes: int
    symbols: Counter = field(default_factory=Counter)
    elsewhere: int = field(default=0, compare=False)  # firmware, GRUB: does not repeat
    phases: Counter = field(default_factory=Counter)  # as the report says

    @property
    def total(self):
        return sum(self.symbols.values())

    @property
    def per_pe(self):
        return self.total / self.pes

    def minus(self, other):
        symbols, phases = Counter(self.symbols), Counter(self.phases)
        symbols.subtract(other.symbols)
        phases.subtract(other.phases)
        return Counts(self.pes - other.pes, symbols, self.elsewhere - other.elsewhere, phases)

    def by_phase(self):
        """Instructions of ring 0 per PE: phase -> figure. The rest is the ways into and out of both
        runs, and what the kernel does between PEs: it serves calls, and schedules."""
        found = {phase: self.phases[phase] / self.pes for phase in PHASES}
        return {**found, REST: self.per_pe - sum(found.values()), TOTAL: self.per_pe}


def short_name(symbol):
    """`dwc::Engine<reprise::Platform>::commit(int)` without what stands in brackets."""
    if "operator" in symbol:
        return symbol
    name = symbol.replace("(anonymous namespace)::", "")
    clone = "".join(re.findall(r" \[clone [^]]*\]", name)).replace(" [clone ", "").replace("]", "")
    name = re.sub(r" \[clone [^]]*\]", "", name)
    while (shorter := re.sub(r"<[^<>]*>|\([^()]*\)( const)?", "", name)) != name:
        name = shorter
    return name.split(" ")[-1] + clone


class SymbolTable:
    """Names the function that holds an address. Labels within assembly routines are no functions."""

    def __init__(self, kernel):
        listed = subprocess.run(["nm", "-n", "-C", str(kernel)], capture_output=True, text=True,
                                check=True).stdout
        self._starts, self._names = [], []
        for line in listed.splitlines():
            address, kind, name = line.split(" ", 2)
            local_label = re.fullmatch(r"(\.\.@)?\w+\.\w+", name) and "(" not in name
            if kind in "tTwW" and not local_label:
                self._starts.append(int(address, 16))
                self._names.append(short_name(name))

    def name_of(self, address):
        at = bisect.bisect_right(self._starts, address) - 1
        return self._names[at] if at >= 0 else "(before the first symbol)"


def read_counts(path, kernel):
    """The plugin's file: `elsewhere COUNT`, then a line `ADDRESS COUNT` for each address."""
    table = SymbolTable(kernel)
    symbols, elsewhere = Counter(), 0
    for line in Path(path).read_text(encoding="ascii").splitlines():
        where, count = line.split()
        if where == "elsewhere":
            elsewhere = int(count)
        else:
            symbols[table.name_of(int(where, 16))] += int(count)
    return symbols, elsewhere


def plugin():
    path = tree.build_dir() / "bin" / "instruction_count.so"
    if not path.exists():
        raise CountError(f"{path} is missing: build the target instruction_count")
    return path


def program(argv):
    path = argv[0] if "/" in argv[0] else tree.native_programs().get(argv[0])
    if path is None:
        raise CountError(f"no native program {argv[0]!r}")
    return image.Program(path, argv)


def contents(argv, arguments, scratch):
    """What goes into the image for a program, or for a guest and its monitor."""
    if argv[0] != GUEST:
        return image.Contents([program(argv)], None, arguments)
    if len(argv) != 3 or not argv[2].isdecimal():
        raise CountError(f"{GUEST} PART ROUNDS: the parts are in tests/guest/small_guest.asm")
    given = guest.Guest(small_guest.write(scratch, argv[1], int(argv[2])), memory=4)
    return image.Contents([given.program()], given.archive(), f"{guest.GRANT} {arguments}".strip())


def run(argv, arguments=""):
    """Boots one program to the machine's end."""
    with tempfile.TemporaryDirectory(prefix="reprise-count-") as scratch:
        iso, out = Path(scratch) / "image.iso", Path(scratch) / "counts"
        image.write_image(contents(argv, arguments, scratch), iso)
        return run_image(iso, out)


def _pes(pes):
    """A guest's PEs are counted, and what its monitor does for one is part of its cost."""
    return pes.get("guest", sum(pes.values()))


def run_image(iso, out):
    settings = machine.Settings(icount=True, clock=CLOCK, timeout=300, pit=False, virtio=True,
                                extra=["-plugin", f"{plugin()},out={out}"])
    outcome = machine.run(iso, settings)
    if outcome.value != machine.CLEAN or not Path(out).exists():
        raise CountError(f"the run did not end well:\n{outcome.console[-2000:]}")
    pes = _pes({event["process"]: event.number("pes") for event in outcome.events("verdicts")})
    phases = Counter()
    for event in outcome.events("times"):
        phases.update({phase: event.number(f"{phase}_ns") for phase in PHASES})
    symbols, elsewhere = read_counts(out, tree.kernel())
    return Counts(pes, symbols, elsewhere, phases)


def measure(chosen):
    """The counts of a Measure."""
    return run(chosen.longer, chosen.arguments).minus(run(chosen.shorter, chosen.arguments))


def save(counts, path):
    """As JSON, for compare()."""
    content = {"pes": counts.pes, "elsewhere": counts.elsewhere, "phases": dict(counts.phases),
               "symbols": dict(counts.symbols.most_common())}
    Path(path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def load(path):
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    return Counts(content["pes"], Counter(content["symbols"]), content["elsewhere"],
                  Counter(content.get("phases", {})))


def table(counts, top):
    """Lines of text: the symbols that cost most, in instructions per PE."""
    lines = [f"{'per PE':>10}  {'share':>6}  symbol"]
    ranked = counts.symbols.most_common()
    for name, count in ranked[:top]:
        lines.append(f"{count / counts.pes:10.1f}  {100 * count / counts.total:5.1f}%  {name}")
    rest = sum(count for _, count in ranked[top:])
    if rest:
        lines.append(f"{rest / counts.pes:10.1f}  {100 * rest / counts.total:5.1f}%  (all others)")
    lines.append(f"{counts.per_pe:10.1f}  100.0%  ring 0, over {counts.pes} PEs")
    return lines


def comparison(old, new, top):
    """Lines of text: the symbols whose cost changed most, in instructions per PE."""
    changes = {name: new.symbols[name] / new.pes - old.symbols[name] / old.pes
               for name in {*old.symbols, *new.symbols}}
    lines = [f"{'before':>10}  {'after':>10}  {'change':>10}  symbol"]
    for name, change in sorted(changes.items(), key=lambda item: -abs(item[1]))[:top]:
        before, after = old.symbols[name] / old.pes, new.symbols[name] / new.pes
        lines.append(f"{before:10.1f}  {after:10.1f}  {change:+10.1f}  {name}")
    percent = 100 * (new.per_pe / old.per_pe - 1)
    lines.append(f"{old.per_pe:10.1f}  {new.per_pe:10.1f}  {percent:+9.2f}%  ring 0 per PE")
    return lines


def expected():
    """Per PE, by workload and phase: what the tree's kernel cost when someone last looked."""
    return json.loads(EXPECTED.read_text(encoding="utf-8"))


def record(figures):
    """`figures`: name of a measure -> by_phase()."""
    rounded = {name: {phase: round(figure, 1) for phase, figure in phases.items()}
               for name, phases in figures.items()}
    EXPECTED.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def is_off(figure, recorded):
    return abs(figure - recorded) > max(TOLERANCE * abs(recorded), LEAST)


def beside_the_record(found, recorded):
    """Lines of text for one workload: the phases found, the recorded ones, and how far off each is."""
    lines = [f"{'found':>10}  {'recorded':>10}  phase"]
    for phase, figure in found.items():
        before = recorded.get(phase, 0)
        off = f"   {figure - before:+.1f}" if is_off(figure, before) else ""
        lines.append(f"{figure:10.1f}  {before:10.1f}  {phase}{off}")
    return lines
