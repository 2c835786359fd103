"""The tables that docs/performance.md shows, for a terminal, for the page, and as Markdown to copy into it. Each compares
figures that belong together; figures.py has one line for each case."""

from dataclasses import dataclass

from . import cases

MOST_COPIES = 1.05  # of rotate, for each modified page and PE
MOST_FAULTS = 5     # of rotate, in percent of classic's


@dataclass(frozen=True)
class Table:
    title: str
    meaning: str
    heads: tuple
    rows: list
    command: str


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


# group -> what its table means, how it is made
KINDS = {
    cases.RANDOM_WRITES: ("All that the PEs take, in percent of their second runs.", _random_writes),
    cases.HEAVY: ("Guest time of the whole boot, with and without a second run.", _heavy),
    cases.WORKLOADS: ("Beyond twice is what remains of a PE without its two runs, in instructions.", _workloads),
    cases.COPIES: (f"Copies for each modified page and PE: the aim for rotate is at most {MOST_COPIES}, and at most "
                   f"{MOST_FAULTS} % of classic's write faults.", _copies),
}


def tables(found):
    """Those for which there are figures."""
    made = []
    for group, (meaning, make) in KINDS.items():
        chosen = _good(found, group)
        if chosen:
            heads, rows = make(chosen)
            made.append(Table(group, meaning, heads, rows, f'scripts/bench --filter "{group}"'))
    return made


def text(found):
    """Lines for a terminal, of the tables that say more than a line for each case."""
    lines = []
    for table in tables(found):
        if table.title not in (cases.HEAVY, cases.COPIES):
            continue
        widths = [max(len(row[i]) for row in (table.heads, *table.rows)) for i in range(len(table.heads))]
        lines += ["", f"{table.title}. {table.meaning}"]
        for row in (table.heads, *table.rows):
            first, *others = (cell.ljust(width) if i == 0 else cell.rjust(width)
                              for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
            lines.append("  ".join(["", first, *others]))
    return lines


def markdown(found):
    parts = []
    for table in tables(found):
        lines = [f"## {table.title}", "", table.meaning, ""]
        lines += [f"| {' | '.join(row)} |" for row in (table.heads, ["---"] * len(table.heads), *table.rows)]
        parts.append("\n".join([*lines, "", f"    {table.command}", ""]))
    return "\n".join(parts)
