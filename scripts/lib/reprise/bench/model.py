"""The model: what a PE costs in cycles on a real CPU, from the events that the bench counts and a cost for each of them.

QEMU counts instructions. It does not know that one IRET takes as long as hundreds of them, or that a read from memory
does. So each phase is its instructions at a stated rate, and beside them the events that take longer. Every cost has a
source, or says that it is an estimate. docs/performance.md explains the terms, and which measurement checks which."""

import re
from dataclasses import dataclass

from . import cases, figures
from .figures import LINES, FormatError

COPY_INSTRUCTIONS = 256     # of a page, in QEMU: vectors of 32 bytes; the next two have a check word
COMPARE_INSTRUCTIONS = 512
FAULT_COPY_INSTRUCTIONS = 420
REFILLED = 16               # translations that are read again after a load of CR3: an estimate
PAPER = {"the paper's prototype, while it starts": 527, "the same, with its caches flushed": 3400}


@dataclass(frozen=True)
class Cost:
    cycles: float
    source: str
    estimate: bool = False


@dataclass(frozen=True)
class Event:
    what: str
    checked_by: str  # the line of a machine's report, or the benchmark, that shows whether the cost is right


@dataclass(frozen=True)
class Cpu:
    name: str
    gigahertz: float
    steps: Cost      # of one search: instructions, not cycles
    costs: dict      # event -> Cost


@dataclass(frozen=True)
class Term:
    phase: str
    event: str
    count: float


EVENTS = {
    "work": Event("an instruction of the program", "`times second_run_ns=` of a case with one PE"),
    "kernel": Event("an instruction of the kernel", "`times load_ns=` and `rewind_ns=` of a PE without a page"),
    "call": Event("SYSCALL", "`times second_run_ns=` of one native call in each PE"),
    "trap": Event("a fault, an interrupt or a step, into the kernel", "`times first_run_ns=`, by `page-costs write_faults=`"),
    "return": Event("IRET to the program", "`times second_run_ns=` of one native call in each PE"),
    "write MSR": Event("WRMSR: counter, local APIC", "`counter=landmark` beside the default: `times first_run_ns=`"),
    "read MSR": Event("RDMSR: counter", "the same"),
    "save": Event("XSAVE", "`scripts/bench --host`: `xsave`; `times rewind_ns=` of a PE without a page"),
    "restore": Event("FNINIT and XRSTOR", "`scripts/bench --host`: `fninit_xrstor`; `times load_ns=`"),
    "debug register": Event("a debug register, read or written", "`times convergence_ns=`, by `convergence steps=`"),
    "load CR3": Event("MOV to CR3", "`times rewind_ns=` of a PE without a page"),
    "refill": Event("a translation read again", "`times second_run_ns=` against `harden=none`"),
    "INVLPG": Event("INVLPG", "`times fault_ns=`, by `page-costs write_faults=`"),
    "copy": Event("copy of a page", "`scripts/bench --host`: `copy_page`, L2; `times rewind_ns=` by modified pages"),
    "compare": Event("comparison of a page", "`scripts/bench --host`: `compare_pages`, L2; `times compare_commit_ns=`"),
    "flush line": Event("CLFLUSHOPT of a line",
                        "`scripts/bench --host`: `flush_line`; `times flush_ns=`, by `page-costs flushed_pages=`"),
    "flush fence": Event("MFENCE behind the last line", "`scripts/bench --host`: `flush_line`, which has a fence behind 256 lines"),
    "reread line": Event("a flushed line that the second run reads again",
                         "`scripts/bench --host`: `reread_line`; `times second_run_ns=`: `flush=touched` against `none`"),
    "flush all": Event("WBINVD", "`times flush_ns=` with `flush=all`, by `verdicts second_runs=`"),
    "reread all": Event("what a PE reads again after WBINVD", "`times second_run_ns=`: `flush=all` against `none`"),
}

_TORVALDS = "L. Torvalds, 2014-04-30, on a Haswell: page fault 715 cycles, IRET 330"
_PTI = "Linux, Documentation/arch/x86/pti.rst: on the order of a hundred cycles"
_MOLNAR = "I. Molnar, linux-mm, 2015-06-10: INVLPG 200 cycles and more, a cached TLB miss 10 to 20"
_LLVM = "LLVM, X86SchedSkylakeClient.td: XSAVE64 41, XRSTOR 37, FNINIT 75"
_HOST = "scripts/bench --host on family 26, model 2, in a virtual machine"

_EITHER = {
    "kernel": Cost(1.0, "stated: one instruction in a cycle"),
    "work": Cost(0.5, "stated: two instructions in a cycle"),
    "trap": Cost(715, _TORVALDS),
    "return": Cost(330, _TORVALDS),
    "call": Cost(80, "a quarter of an IRET: microcode of that order, and no stack is written", estimate=True),
    "debug register": Cost(60, "half a WRMSR", estimate=True),
    "load CR3": Cost(100, _PTI),
    "refill": Cost(20, _MOLNAR),
    "INVLPG": Cost(200, _MOLNAR),
}

SKYLAKE = Cpu(
    "Intel Skylake (Core i7-6700K)", 4.0,
    steps=Cost(150, "the margin is 4 + 2 * the latest stop; 75 instructions are taken for it. rr allows 100 branches", True),
    costs=_EITHER | {
        "write MSR": Cost(120, "microcode longer than FNINIT (75), shorter than an IRET", estimate=True),
        "read MSR": Cost(60, "half a WRMSR", estimate=True),
        "save": Cost(41, _LLVM),
        "restore": Cost(112, _LLVM),
        "copy": Cost(300, "as on Zen 5, with L2 half as wide", estimate=True),
        "compare": Cost(300, "as on Zen 5, with L2 half as wide", estimate=True),
        "flush line": Cost(20, "the most that Zen 3 and Zen 5 took, as an older CPU may be slower", estimate=True),
        "flush fence": Cost(450, "half of Zen 5's", estimate=True),
        "reread line": Cost(35, "as on Zen 5, with 70 ns for a read from memory", estimate=True),
        "flush all": Cost(500_000, "131,072 lines of L3 (8 MiB), four cycles each", estimate=True),
        "reread all": Cost(60_000, "2,000 lines of program and kernel, 30 cycles each", estimate=True),
    })

ZEN5 = Cpu(
    "AMD Zen 5 (EPYC, family 26)", 3.6,
    steps=Cost(300, "the same with 150 instructions; rr allows 10,000 branches, and says that the skid has no bound", True),
    costs=_EITHER | {
        "write MSR": Cost(150, "microcode longer than FNINIT, shorter than an IRET", estimate=True),
        "read MSR": Cost(75, "half a WRMSR", estimate=True),
        "save": Cost(173, _HOST),
        "restore": Cost(500, _HOST),
        "copy": Cost(250, f"{_HOST}: 215 to 290"),
        "compare": Cost(255, f"{_HOST}: 240 to 270"),
        "flush line": Cost(6, f"{_HOST}: 5 to 7 with one fence behind 4,096 lines"),
        "flush fence": Cost(900, f"{_HOST}: 18 to 22 for a line with a fence behind each page"),
        "reread line": Cost(45, f"{_HOST}: 9 in sequence, 370 shuffled; one line of ten is read out of sequence", estimate=True),
        "flush all": Cost(2_000_000, "524,288 lines of L3 (32 MiB), four cycles each", estimate=True),
        "reread all": Cost(100_000, "2,000 lines of program and kernel, 50 cycles each", estimate=True),
    })

CPUS = (SKYLAKE, ZEN5)


def _setting(figure, name):
    found = re.search(rf"\b{re.escape(name)}=(\w+)", figure.command)
    return found[1] if found else ""


def pe_count(figure, cpu):
    """How many PEs that end by the time limit, and how many others, the case has there. In QEMU an instruction takes a
    nanosecond. A real CPU does more of them within the limit, so the same work needs fewer such PEs."""
    limited = figure.ends["time-limit"]
    return limited / max(1.0, cpu.gigahertz / cpu.costs["work"].cycles), figure.pes - limited


def terms(figure, cpu, factor=1.0):
    """Every term of the case's PEs together. `factor` is applied to the number of steps, which is an estimate, too."""
    limited, others = pe_count(figure, cpu)
    pes = limited + others
    share = pes / figure.pes  # what does not depend on a PE's length shrinks with the number of PEs
    calls = figure.ends["system-call"]
    faults, fault_copies = figure.costs["write_faults"], figure.costs["fault_copies"]
    copies, compares, flushed = (share * figure.costs[key] for key in ("copies", "compares", "flushed_pages"))
    rewound = min(copies, compares)  # a page is copied for the second run once, and compared once
    again = copies - rewound         # by policy=classic
    steps = limited * cpu.steps.cycles * factor
    per_step = figure.phases["convergence"] / figure.steps if figure.steps else 0

    def kernel(instructions, of_vectors=0):
        return max(0, instructions - of_vectors)

    def stints(phase, count):
        """Ways into ring 3, with the counter around each; what ends them is told apart."""
        return [Term(phase, "return", count), Term(phase, "write MSR", 3 * count), Term(phase, "read MSR", 2 * count)]

    def run(phase):
        return [Term(phase, "work", figure.phases[phase]), *stints(phase, pes), Term(phase, "call", calls),
                Term(phase, "trap", pes - calls)]

    def translations(phase):
        return [Term(phase, "load CR3", pes), Term(phase, "refill", REFILLED * pes)]

    found = [
        Term("load", "kernel", share * figure.phases["load"]), Term("load", "write MSR", 2 * pes),
        Term("load", "restore", 2 * pes),
        *run("first_run"),
        Term("fault", "kernel", kernel(figure.phases["fault"], fault_copies * FAULT_COPY_INSTRUCTIONS)),
        Term("fault", "copy", fault_copies), Term("fault", "trap", faults), *stints("fault", faults),
        Term("fault", "INVLPG", faults),
        Term("rewind", "kernel", kernel(share * figure.phases["rewind"], rewound * COPY_INSTRUCTIONS)),
        Term("rewind", "copy", rewound), Term("rewind", "save", pes), *translations("rewind"),
        Term("flush", "kernel", share * figure.phases["flush"]), Term("flush", "flush line", LINES * flushed),
        Term("flush", "flush fence", pes if _setting(figure, "flush") == "touched" else 0),
        *run("second_run"), Term("second_run", "reread line", LINES * flushed * min(1, figure.read_again)),
        Term("convergence", "kernel", steps * per_step), Term("convergence", "trap", steps), *stints("convergence", steps),
        Term("convergence", "debug register", 2 * steps),
        Term("compare_commit", "kernel", kernel(share * figure.phases["compare_commit"],
                                                again * COPY_INSTRUCTIONS + compares * COMPARE_INSTRUCTIONS)),
        Term("compare_commit", "copy", again), Term("compare_commit", "compare", compares),
        Term("compare_commit", "save", pes), *translations("compare_commit"),
    ]
    if _setting(figure, "flush") == "all":
        found += [Term("flush", "flush all", pes), Term("second_run", "reread all", pes)]
    return found


@dataclass(frozen=True)
class Prediction:
    cpu: Cpu
    phases: dict  # phase -> cycles of all PEs

    @property
    def total(self):
        return sum(self.phases.values())

    @property
    def overhead(self):
        """As figures.Figure.overhead: all of it, in percent of the second run."""
        return 100 * self.total / self.phases["second_run"] if self.phases["second_run"] else 0.0


def predicted(figure, cpu, factor=1.0):
    """The case on that CPU; all estimates multiplied by `factor`."""
    if not figure.ends:
        raise FormatError(f"{figure.group}: {figure.name}: it does not say what ended the PEs: measure again with "
                          "scripts/bench")
    phases = dict.fromkeys(figures.PHASES, 0.0)
    for term in terms(figure, cpu, factor):
        cost = cpu.costs[term.event]
        phases[term.phase] += term.count * cost.cycles * (factor if cost.estimate else 1)
    return Prediction(cpu, phases)


def good(found):
    return [figure for figure in found if not figure.error]


def flush_ratios(found, cpu):
    """What each `flush=` costs, as a ratio to `none` with the same program and policy: case -> ratio."""
    chosen = [figure for figure in good(found) if figure.group in (cases.POLICIES, cases.FLUSHES)]
    none = {figure.series: predicted(figure, cpu).total for figure in chosen if _setting(figure, "flush") == "none"}
    return {figure.name: predicted(figure, cpu).total / none[figure.series] for figure in chosen if figure.series in none}


def rows(found):
    """Each case, and for each CPU the predicted overhead, its lowest and its highest with all estimates from half to twice."""
    result = []
    for figure in good(found):
        overheads = [[predicted(figure, cpu, factor).overhead for factor in (1, 0.5, 2)] for cpu in CPUS]
        result.append((figure, [(middle[0], min(middle), max(middle)) for middle in overheads]))
    return result


def as_json(found):
    return {cpu.name: [{"group": figure.group, "name": figure.name, "pes": figure.pes,
                        "overhead_percent": round(predicted(figure, cpu).overhead, 1),
                        "cycles": {phase: round(cycles) for phase, cycles in predicted(figure, cpu).phases.items()}}
                       for figure in good(found) if figure.ends] for cpu in CPUS}


def _cost_lines():
    lines = [f"{'event':18} {CPUS[0].name:>30} {CPUS[1].name:>30}"]
    for event in EVENTS:
        cells = [f"{cpu.costs[event].cycles:,}{' (estimate)' if cpu.costs[event].estimate else ''}" for cpu in CPUS]
        lines.append(f"{event:18} {cells[0]:>30} {cells[1]:>30}")
    return [*lines, f"{'steps of a search':18} {CPUS[0].steps.cycles:>19,g} (estimate) {CPUS[1].steps.cycles:>19,g} (estimate)"]


def table(found):
    """Lines for a terminal."""
    lines = ["Cycles of each event", *_cost_lines(), "",
             "Overhead: all that PEs take, in percent of their second runs; in brackets with all estimates halved or doubled", "",
             f"{'case':46} {'QEMU':>7} {CPUS[0].name:>30} {CPUS[1].name:>30}"]
    group = ""
    for figure, predictions in rows(found):
        if figure.group != group:
            group = figure.group
            lines.append(group)
        cells = [f"{middle:,.0f} % ({low:,.0f}-{high:,.0f})" for middle, low, high in predictions]
        lines.append(f"  {figure.name:44} {figure.overhead:5,.0f} % {cells[0]:>30} {cells[1]:>30}")
    lines += [f"  {what:44} {percent:5,} %" for what, percent in PAPER.items()]
    ratios = [flush_ratios(found, cpu) for cpu in CPUS]
    if ratios[0]:
        lines += ["", f"{'all cycles, as a ratio to flush=none':46} {'':7} {CPUS[0].name:>30} {CPUS[1].name:>30}"]
        lines += [f"  {name:44} {'':7} {ratios[0][name]:30.2f} {ratios[1][name]:30.2f}" for name in ratios[0]]
    return lines
