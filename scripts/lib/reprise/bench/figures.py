"""Figures of a case: boots it, reads the kernel's report, and keeps what it says. Time is guest nanoseconds; under
-icount shift=0 one of them is one instruction."""

import csv
import json
import subprocess
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .. import image, machine, timeline, tree
from ..archive import Archive
from . import line_count

FORMAT = 1
LINES = 64  # cache lines in a page
CLOCK = "guest instructions (QEMU -icount shift=0)"
# In the order in which a PE goes through them; docs/log-format.md, event `times`.
PHASES = ("load", "first_run", "fault", "rewind", "flush", "second_run", "convergence", "compare_commit")
BUCKETS = ("p0", "p1", "p2", "p3-4", "p5-8", "p9-16", "p17-32", "p33-64", "p65")
COSTS = ("copies", "fault_copies", "compares", "write_faults", "remaps", "evictions", "flushed_pages")
PREDICTION = ("hits", "misses")  # their sum: modified pages, over all PEs
PORT = "com2"  # the file of the second serial port
ELEMENT = ("total", "second_run", "modified_pages")  # instructions, instructions, pages
ENDS = ("system-call", "exception", "page-budget", "out-of-frames", "time-limit")


class FormatError(Exception):
    """A file of results that this version cannot read; the text says what to do."""


@dataclass
class Figure:
    group: str
    name: str
    command: str                  # repeats the case
    x: float = 0
    series: str = ""
    error: str = ""               # why there are no figures
    pes: int = 0
    longest_pe: int = 0           # instructions
    phases: dict = field(default_factory=dict)         # phase -> instructions
    modified_pages: dict = field(default_factory=dict)  # bucket -> PEs
    costs: dict = field(default_factory=dict)          # what was done to pages -> how often
    prediction: dict = field(default_factory=dict)     # PREDICTION -> modified pages
    boot: int = 0                 # instructions from the kernel's entry to the machine's end
    boot_once: int = 0            # the same with harden=none
    ends: dict = field(default_factory=dict)           # what ended PEs -> PEs
    steps: int = 0                # of the searches for where the time limit ended a first run
    elements: list = field(default_factory=list)       # of each PE, by ELEMENT; only with Case.timeline
    read_again: float = 1.0       # share of the flushed lines that second runs use, at most; where it was counted

    @property
    def total(self):
        return sum(self.phases.values())

    @property
    def second_run(self):
        """The work itself, once. A search's last part, in steps, belongs to the second run but not to the work."""
        return self.phases.get("second_run", 0)

    @property
    def overhead(self):
        """The paper's figure: all of it, in percent of the second run."""
        return 100 * self.total / self.second_run if self.second_run else 0.0

    @property
    def copies_per_page(self):
        """Of a page, for each PE that modifies it."""
        pages = sum(self.prediction.values())
        return (self.costs["copies"] + self.costs["fault_copies"]) / pages if pages else 0.0

    @property
    def against_once(self):
        """The whole boot, in boots with harden=none."""
        return self.boot / self.boot_once if self.boot_once else 0.0

    @property
    def beyond_twice(self):
        """Instructions for each PE that are neither run."""
        return (self.total - self.phases["first_run"] - self.second_run) / self.pes if self.pes else 0.0


def path_of(name):
    """Of a native program, a Linux program of the tree, or the name itself."""
    if "/" in name:
        return name
    return tree.native_programs().get(name) or tree.linux_program(name)


def linux_programs(chosen):
    """Names of the tree's Linux programs that the cases need. The native ones must be there."""
    names = {argv[0] for case in chosen for argv in case.programs}
    return sorted(name for name in names if "/" not in name and name not in tree.native_programs())


def _program(argv):
    return image.Program(path_of(argv[0]), argv, argv[1] if argv[0] == "pingpong" else "")


def _quoted(words):
    return " ".join(word if word.replace("/", "").replace("-", "").isalnum() else repr(word) for word in words)


def _command(case):
    append = f"--append '{case.arguments}' " if case.arguments else ""
    memory = f"--memory {case.memory} " if case.memory != 256 else ""
    programs = [[_shown(argv[0]), *argv[1:]] for argv in case.programs]
    return f"scripts/run {memory}{append}" + " & ".join(_quoted(argv) for argv in programs)


def _shown(name):
    """As scripts/run takes it."""
    native = "/" in name or name in tree.native_programs()
    return name if native else f"build/kernel/bin/linux/{name}"


def _boot(case, folder, more="", qemu=()):
    archive = Archive()
    for name, content in case.files.items():
        archive.add_bytes(name, content)
    iso = folder / "bench.iso"
    programs = [_program(argv) for argv in case.programs]
    image.write_image(image.Contents(programs, archive if case.files else None,
                                     f"console=serial {case.arguments} {more}".strip()), iso)
    settings = machine.Settings(memory=case.memory, pit=False, clock="2024-02-29T12:00:00", timeout=3600,
                                extra=list(qemu))
    if case.timeline:
        settings.second_serial = str(folder / PORT)
    return programs, machine.run(iso, settings)


def _elements(lines, outcome, names):
    """What the second serial port says of each PE of these programs, by ELEMENT."""
    processes = {event.number("pid") for event in outcome.events("started") if event["process"] in names}
    pages_before, found = dict.fromkeys(processes, 0), []
    for element in timeline.Reader().elements(lines):
        if element.process not in processes:
            continue
        phases = [sum(times) for times in zip(*(attempt.phases for attempt in element.attempts), strict=True)]
        found.append([sum(phases), phases[timeline.PHASES.index("second run")],
                      element.modified - pages_before[element.process]])
        pages_before[element.process] = element.modified
    return found


def _host_output(case, folder):
    for name, content in case.files.items():
        (folder / name).write_bytes(content)
    name, *arguments = case.programs[0]
    return subprocess.run([path_of(name), *arguments], cwd=folder, capture_output=True, text=True).stdout


def _complaint(case, programs, outcome, folder):
    """Why the boot's figures do not count; an empty text when they do."""
    if outcome.value != machine.CLEAN:
        return "did not end within an hour" if outcome.timed_out else f"ended with QEMU's status {outcome.status}"
    mismatches = sum(event.number("mismatches") for event in outcome.events("verdicts"))
    if mismatches:
        return f"{mismatches} mismatches"
    if case.as_on_host and outcome.program_output() != _host_output(case, folder):
        return "printed something else than on this machine"
    return ""


def _read_again(case, folder):
    """An upper bound: the plugin counts all processes, and the report has no flushes of init and the drivers."""
    out = folder / "lines"
    _, outcome = _boot(case, folder, qemu=line_count.arguments(out))
    flushed = sum(event.number("flushed_pages") for event in outcome.events("page-costs"))
    return line_count.read(out) / (LINES * flushed) if flushed else 1.0


def _boot_time(outcome):
    return sum(event.number("time_ns") for event in outcome.events("shutdown"))


def measure(case):
    """Boots the case. Returns its Figure, which says so when it is not what it should be."""
    figure = Figure(case.group, case.name, _command(case), case.x, case.series)
    with tempfile.TemporaryDirectory(prefix="reprise-bench-") as scratch:
        programs, outcome = _boot(case, Path(scratch))
        figure.error = _complaint(case, programs, outcome, Path(scratch))
        if case.against_once and not figure.error:
            _, once = _boot(case, Path(scratch), "harden=none")
            figure.error = _complaint(case, programs, once, Path(scratch))
            figure.boot_once = _boot_time(once)
        if case.timeline and not figure.error:
            with (Path(scratch) / PORT).open(encoding="utf-8", errors="replace") as lines:
                figure.elements = _elements(lines, outcome, {program.name for program in programs})
        if "flush=touched" in case.arguments and not figure.error:
            figure.read_again = _read_again(case, Path(scratch))
    if figure.error:
        return figure
    names = {program.name for program in programs}

    def reports(event):
        return [found for found in outcome.events(event) if found["process"] in names]

    figure.pes = sum(event.number("pes") for event in reports("verdicts"))
    figure.longest_pe = max(event.number("longest_pe_ns") for event in reports("times"))
    figure.phases = {phase: sum(event.number(f"{phase}_ns") for event in reports("times")) for phase in PHASES}
    figure.modified_pages = {key: sum(event.number(key) for event in reports("modified-pages")) for key in BUCKETS}
    figure.costs = {key: sum(event.number(key) for event in reports("page-costs")) for key in COSTS}
    figure.prediction = {key: sum(event.number(key) for event in reports("prediction")) for key in PREDICTION}
    figure.boot = _boot_time(outcome)
    figure.ends = {key: sum(event.number(key) for event in reports("ends")) for key in ENDS}
    figure.steps = sum(event.number("steps") for event in reports("convergence"))
    told = (len(figure.elements), sum(total for total, *_ in figure.elements))
    if case.timeline and told != (figure.pes, figure.total):
        figure.error = "the second serial port told of {} PEs and {} ns, the report of {} and {}".format(
            *told, figure.pes, figure.total)
    return figure


def write_json(found, path, commit, clock=CLOCK, **further):
    """`further`: what is made of the figures, for other programs to read; read_json() leaves it alone."""
    path.write_text(json.dumps({"format": FORMAT, "clock": clock, "commit": commit,
                                "figures": [asdict(figure) for figure in found], **further}, indent=1) + "\n",
                    encoding="utf-8")


def read_json(path):
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise FormatError(f"{path}: format {content['format']}, not {FORMAT}: measure again with scripts/bench")
        return [Figure(**figure) for figure in content["figures"]]
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path} is no bench.json of scripts/bench: {error}") from error


def write_csv(found, path):
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["group", "name", "error", "pes", "overhead_percent", "beyond_twice_per_pe", "longest_pe",
                       *PHASES, *BUCKETS, *COSTS, *PREDICTION, "boot", "boot_once", *ENDS, "steps"])
        for figure in found:
            rows.writerow([figure.group, figure.name, figure.error, figure.pes, f"{figure.overhead:.1f}",
                           f"{figure.beyond_twice:.0f}" if figure.pes else "", figure.longest_pe,
                           *(figure.phases.get(key, "") for key in PHASES),
                           *(figure.modified_pages.get(key, "") for key in BUCKETS),
                           *(figure.costs.get(key, "") for key in COSTS),
                           *(figure.prediction.get(key, "") for key in PREDICTION), figure.boot, figure.boot_once,
                           *(figure.ends.get(key, "") for key in ENDS), figure.steps if figure.ends else ""])


def table(found):
    """Lines for a terminal."""
    lines = [f"{'case':52} {'PEs':>8} {'overhead':>9} {'beyond twice':>13}",
             f"{'':52} {'':>8} {'%':>9} {'per PE':>13}"]
    group = ""
    for figure in found:
        if figure.group != group:
            group = figure.group
            lines.append(group)
        if figure.error:
            lines.append(f"  {figure.name:50} {figure.error}")
        else:
            lines.append(f"  {figure.name:50} {figure.pes:8} {figure.overhead:9.1f} {figure.beyond_twice:13.0f}")
    return lines


def comparison(old, new):
    """Lines that show what became of each case."""
    before = {(figure.group, figure.name): figure for figure in old}
    after = {(figure.group, figure.name): figure for figure in new}
    lines = [f"{'case':52} {'before':>9} {'after':>9} {'change':>9}"]
    for key in dict.fromkeys([*before, *after]):
        first, second = before.get(key), after.get(key)
        name = f"{key[0]}: {key[1]}"[:52]
        if not first or not second:
            lines.append(f"{name:52} only in the {'second' if second else 'first'} file")
        elif first.error or second.error:
            lines.append(f"{name:52} {first.error or 'measured'} -> {second.error or 'measured'}")
        else:
            change = 100 * (second.total / first.total - 1)
            lines.append(f"{name:52} {first.overhead:8.1f}% {second.overhead:8.1f}% {change:+8.2f}%")
    return [*lines, "change: of all instructions of the case's PEs"]
