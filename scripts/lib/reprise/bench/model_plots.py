"""What the model predicts, and the pies: the paper's figures beside ours."""

from math import cos, radians, sin

from matplotlib import pyplot

from . import model, shares

CPU_COLOURS = ("#0072b2", "#e69f00")
PAPER_COLOUR = "#d55e00"
PART_COLOURS = {"first run": "#56b4e9", "rewind": "#e69f00", "flush": "#f0e442", "second run": "#0072b2",
                "compare and commit": "#d55e00", "rest": "#999999", shares.UNKNOWN: "#ffffff"}


def predictions(chosen):
    """A pair of bars for each workload, with the brackets of the estimates, and the paper's figure as a line."""
    chosen = [figure for figure in chosen if figure.ends]
    picture, axes = pyplot.subplots(figsize=(8, 1.8 + 0.55 * len(chosen)))
    rows = model.rows(chosen)
    height = 0.38
    most = 0
    for number, (cpu, colour) in enumerate(zip(model.CPUS, CPU_COLOURS, strict=True)):
        middles = [found[number][0] for _, found in rows]
        below = [found[number][0] - found[number][1] for _, found in rows]
        above = [found[number][2] - found[number][0] for _, found in rows]
        places = [place + (number - 0.5) * height for place in range(len(rows))]
        axes.barh(places, middles, height=height, color=colour, label=cpu.name, xerr=(below, above), capsize=2,
                  error_kw={"linewidth": 1})
        most = max(most, *(found[number][2] for _, found in rows))
        for place, (_, found) in zip(places, rows, strict=True):
            axes.annotate(f"{found[number][0]:.0f} %", (found[number][2], place), textcoords="offset points", xytext=(5, 0),
                          va="center", fontsize=8, zorder=4,
                          bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"})
    paper = next(iter(model.PAPER.values()))
    axes.axvline(paper, color=PAPER_COLOUR, linewidth=1.5, label=f"the paper's prototype while it starts, {paper} %")
    axes.axvline(200, color="black", linewidth=1, linestyle="--", label="running twice and nothing else, 200 %")
    axes.set_yticks(range(len(rows)), [figure.name for figure, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 1.12 * max(most, paper))
    axes.set_xlabel("predicted overhead, percent of the second run\n(thin lines: with all estimates halved and doubled)")
    picture.legend(loc="lower center", ncol=2, fontsize=8, frameon=False)
    picture.tight_layout(rect=(0, 0.65 / picture.get_figheight(), 1, 1))
    return picture


def measured_beside(chosen, ranges):
    """A bar for each case that a real machine has measured, and beside it what the model says for each CPU, with its range.
    `ranges`: case -> for each CPU middle, lowest and highest; a case may be missing."""
    picture, axes = pyplot.subplots(figsize=(8, 1.8 + 0.45 * len(chosen)))
    axes.barh(range(len(chosen)), [figure.overhead for figure in chosen], height=0.75, color="#bbbbbb", label="measured")
    most = max(figure.overhead for figure in chosen)
    for number, (cpu, colour) in enumerate(zip(model.CPUS, CPU_COLOURS, strict=True)):
        rows = [(place, ranges[figure.name][number]) for place, figure in enumerate(chosen) if figure.name in ranges]
        if rows:
            middles = [values[0] for _, values in rows]
            axes.errorbar(middles, [place + (number - 0.5) * 0.36 for place, _ in rows],
                          xerr=([values[0] - values[1] for _, values in rows], [values[2] - values[0] for _, values in rows]),
                          fmt="os"[number], color=colour, capsize=3, markersize=5, label=f"model, {cpu.name}")
            most = max(most, *(values[2] for _, values in rows))
    for place, figure in enumerate(chosen):
        axes.annotate(f"{figure.overhead:,.0f} %", (100, place), textcoords="offset points", xytext=(4, 0), va="center", fontsize=8)
    axes.axvline(200, color="black", linewidth=1, linestyle="--", label="running twice and nothing else, 200 %")
    axes.set_xscale("log")
    ticks = [tick for tick in (100, 200, 300, 500, 1000, 2000, 5000, 10000, 20000, 50000) if tick < 1.3 * most]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(100, 1.15 * most)
    axes.set_yticks(range(len(chosen)), [figure.name for figure in chosen])
    axes.set_ylim(len(chosen) - 0.4, -0.6)
    axes.set_xlabel("overhead, percent of the second run (cycles of the time stamp)")
    picture.legend(loc="lower center", ncol=2, fontsize=8, frameon=False)
    picture.tight_layout(rect=(0, 0.65 / picture.get_figheight(), 1, 1))
    return picture


def _pie(axes, pie):
    parts = {part: size for part, size in pie.parts.items() if size > 0}
    wedges, _ = axes.pie(list(parts.values()), colors=[PART_COLOURS[part] for part in parts], startangle=90,
                         counterclock=False, wedgeprops={"edgecolor": "black", "linewidth": 0.6})
    for wedge, part in zip(wedges, parts, strict=True):
        if part == shares.UNKNOWN:
            wedge.set_hatch("///")
    # In plain sight only where there is room; the table has all of them.
    for wedge, part in zip(wedges, parts, strict=True):
        percent = pie.percent(part)
        if percent >= 4:
            middle = (wedge.theta1 + wedge.theta2) / 2
            axes.annotate(f"{percent:.0f} %", _on_circle(middle, 0.65), ha="center", va="center", fontsize=9,
                          bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85})
    axes.set_title(f"{pie.overhead:,.0f} %", fontsize=11, pad=2)


def _on_circle(degrees, radius):
    return radius * cos(radians(degrees)), radius * sin(radians(degrees))


def pies(chosen):
    """A column for each way to flush, a row for each clock; the paper's first. None without the start-up workload."""
    found = shares.pies(chosen)
    if not found:
        return None
    rows = list(dict.fromkeys(pie.title for pie in found))
    picture, grid = pyplot.subplots(len(rows), len(shares.FLUSHES), figsize=(8, 2.5 * len(rows) + 1), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for pie in found:
        _pie(grid[rows.index(pie.title)][shares.FLUSHES.index(pie.flush)], pie)
    inch = 1 / picture.get_figheight()
    picture.tight_layout(rect=(0, 0.6 * inch, 1, 1 - 0.6 * inch), h_pad=3)
    for column, flush in enumerate(shares.FLUSHES):
        box = grid[0][column].get_position()
        picture.text((box.x0 + box.x1) / 2, 1 - 0.2 * inch, f"flush={flush}", ha="center",
                     fontweight="bold", va="center")
    for row, title in enumerate(rows):
        box = grid[row][0].get_position()
        picture.text(0.01, box.y1 + 0.36 * inch, title, ha="left", va="bottom", fontweight="bold")
    handles = [pyplot.Rectangle((0, 0), 1, 1, facecolor=colour, edgecolor="black", linewidth=0.6,
                                hatch="///" if part == shares.UNKNOWN else None)
               for part, colour in PART_COLOURS.items()]
    picture.legend(handles, list(PART_COLOURS), loc="lower center", ncol=4, fontsize=9, frameon=False)
    return picture
