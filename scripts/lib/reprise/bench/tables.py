"""The tables that docs/performance.md shows, for a terminal, for the page, and as Markdown to copy into it. Each compares
figures that belong together; figures.py has one line for each case."""

import csv
from dataclasses import dataclass
from statistics import quantiles

from . import cases, model, shares

PERCENTILES = (0, 10, 50, 90, 99, 100)
MOST_COPIES = 1.05  # of rotate, for each modified page and PE
MOST_FAULTS = 5     # of rotate, in percent of classic's


@dataclass(frozen=True)
class Table:
    title: str
    meaning: str
    heads: tuple
    rows: list
    command: str
    file: str  # its CSV's name, without .csv


def _good(found, group):
    return [figure for figure in found if figure.group == group and not figure.error]


def _random_writes(chosen):
    heads = ("pages", *(f"{figure.x:,.0f}" for figure in chosen))
    return heads, [("overhead", *(f"{figure.overhead:,.0f} %" for figure in chosen))]


def _heavy(chosen):
    heads = ("program", "hardened", "`harden=none`", "ratio")
    return heads, [(figure.name, f"{figure.boot / 1e6:,.0f} ms", f"{figure.boot_once / 1e6:,.0f} ms",
                    f"{figure.against_once:.2f}") for figure in chosen]


def _workloads(chosen):
    heads = ("workload", "PEs", "overhead", "beyond twice, per PE")
    return heads, [(figure.name, f"{figure.pes:,}", f"{figure.overhead:.1f} %", f"{figure.beyond_twice:,.0f}")
                   for figure in chosen]


def _ratio(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _copies(chosen):
    """Both policies of a workload in one row, and all workloads together in the last."""
    pairs = {}
    for figure in chosen:
        pairs.setdefault(figure.name.rpartition(": ")[0], {})[figure.series] = figure
    pairs = {name: pair for name, pair in pairs.items() if len(pair) == 2}
    rows, sums = [], [0, 0, 0, 0]
    for name, pair in pairs.items():
        rotate, classic = pair["rotate"], pair["classic"]
        faults = [figure.costs["write_faults"] for figure in (rotate, classic)]
        rows.append((name, f"{rotate.pes:,}", f"{rotate.copies_per_page:.3f}", f"{classic.copies_per_page:.3f}",
                     f"{faults[0]:,}", f"{faults[1]:,}", _ratio(*faults)))
        copies = rotate.costs["copies"] + rotate.costs["fault_copies"]
        sums = [a + b for a, b in zip(sums, (copies, sum(rotate.prediction.values()), *faults), strict=True)]
    if len(rows) > 1:
        rows.append(("all", "", f"{sums[0] / max(1, sums[1]):.3f}", "", f"{sums[2]:,}", f"{sums[3]:,}",
                     _ratio(sums[2], sums[3])))
    heads = ("workload", "PEs", "copies, rotate", "copies, classic", "write faults, rotate", "write faults, classic",
             "of classic's")
    return heads, rows


def percentiles(values):
    """Of each of PERCENTILES; the first and the last value are the least and the greatest."""
    if len(values) == 1:
        return [values[0]] * len(PERCENTILES)
    cuts = [min(values), *quantiles(values, n=100, method="inclusive"), max(values)]
    return [cuts[percent] for percent in PERCENTILES]


def _distribution(chosen):
    heads = ("workload", "PEs", "", *("least" if percent == 0 else "most" if percent == 100 else f"{percent} %"
                                      for percent in PERCENTILES))
    rows = []
    for figure in chosen:
        overheads = [100 * total / second for total, second, _ in figure.elements]
        pages = [modified for *_, modified in figure.elements]
        rows.append((figure.name, f"{len(pages):,}", "overhead", *(f"{value:,.0f} %" for value in percentiles(overheads))))
        rows.append(("", "", "modified pages", *(f"{value:,.0f}" for value in percentiles(pages))))
    return heads, rows


def _shares(chosen):
    heads = ("system start-up", "`flush=`", "overhead", *shares.PARTS)
    rows = []
    for pie in shares.pies(chosen):
        parts = [f"{pie.percent(part):.1f} %" if part in pie.parts else "not stated" for part in shares.PARTS]
        rows.append((pie.title, pie.flush, f"{pie.overhead:,.0f} %", *parts))
    return heads, rows


def _model(chosen):
    heads = ("overhead", "QEMU", *(cpu.name for cpu in model.CPUS))
    rows = [(figure.name, f"{figure.overhead:,.0f} %",
             *(f"{middle:,.0f} % ({low:,.0f}-{high:,.0f})" for middle, low, high in predictions))
            for figure, predictions in model.rows(chosen) if figure.ends]
    return heads, rows + [(what, "", *[f"{percent:,} %"] * len(model.CPUS)) for what, percent in model.PAPER.items()]


@dataclass(frozen=True)
class Kind:
    group: str
    meaning: str
    make: object
    title: str = ""  # without one: the group's
    file: str = ""   # its CSV's name; without one: the title's


KINDS = (
    Kind(cases.RANDOM_WRITES, "All that the PEs take, in percent of their second runs.", _random_writes),
    Kind(cases.HEAVY, "Guest time of the whole boot, with and without a second run.", _heavy),
    Kind(cases.WORKLOADS, "Beyond twice is what remains of a PE without its two runs, in instructions.", _workloads),
    Kind(cases.COPIES, f"Copies for each modified page and PE: the aim for rotate is at most {MOST_COPIES}, and at most "
         f"{MOST_FAULTS} % of classic's write faults.", _copies),
    Kind(cases.FLUSHES, f"Where the time of the paper's prototype went, and where ours goes, in percent of all. {shares.NOTE}",
         _shares, "where the time goes while a system starts", "shares"),
    Kind(cases.DISTRIBUTION, "Percentiles over the PEs of a workload: half of them have at most what stands under 50 %.",
         _distribution, file="distribution"),
    Kind(cases.WORKLOADS, "What two real CPUs are predicted to need, in cycles; in brackets with all estimated costs halved and "
         "doubled. The paper's figures are of another CPU.", _model, "the model", "model"),
)


def tables(found):
    """Those for which there are figures."""
    made = []
    for kind in KINDS:
        chosen = _good(found, kind.group)
        heads, rows = kind.make(chosen) if chosen else ((), [])
        if rows:
            title = kind.title or kind.group
            made.append(Table(title, kind.meaning, heads, rows, f'scripts/bench --filter "{kind.group}"',
                              kind.file or title.replace(" ", "_")))
    return made


def write_csv(made, folder):
    """One file for each table; its cells are as they are shown."""
    for table in made:
        with (folder / f"{table.file}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([table.heads, *table.rows])


def for_terminal(found):
    """Those that say more than a line for each case."""
    return [table for table in tables(found) if table.title in (cases.HEAVY, cases.COPIES, cases.DISTRIBUTION)]


def text(made):
    """Lines for a terminal."""
    lines = []
    for table in made:
        widths = [max(len(row[i]) for row in (table.heads, *table.rows)) for i in range(len(table.heads))]
        lines += ["", f"{table.title}. {table.meaning}"]
        for row in (table.heads, *table.rows):
            first, *others = (cell.ljust(width) if i == 0 else cell.rjust(width)
                              for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
            lines.append("  ".join(["", first, *others]))
    return lines


def markdown(made):
    parts = []
    for table in made:
        lines = [f"## {table.title}", "", table.meaning, ""]
        lines += [f"| {' | '.join(row)} |" for row in (table.heads, ["---"] * len(table.heads), *table.rows)]
        parts.append("\n".join([*lines, "", *([f"    {table.command}", ""] if table.command else [])]))
    return "\n".join(parts)
