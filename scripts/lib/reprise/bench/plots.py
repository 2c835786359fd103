"""The plots, each as PNG and as SVG."""

from matplotlib.ticker import FuncFormatter

from ..drawing import COLOURS, pyplot, svg_of
from . import cases, distribution_plots, figures, model_plots

# What a reader has to tell apart, from bottom to top of a bar.
PARTS = {"second run": ("second_run",), "first run": ("first_run",), "load registers": ("load",),
         "write faults": ("fault",), "rewind": ("rewind",), "flush": ("flush",),
         "search": ("convergence",), "compare and commit": ("compare_commit",)}
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'  # of an SVG file
TWICE = 200  # percent: the limit of running twice on one core


def _good(found, group):
    return [figure for figure in found if figure.group == group and not figure.error]


def _twice_line(draw):
    draw(TWICE, color="black", linewidth=1, linestyle="--", zorder=3)


def _bars(chosen):
    """Where the instructions went, in percent of the second run."""
    picture, axes = pyplot.subplots(figsize=(8, 1.6 + 0.42 * len(chosen)))
    names = [figure.name for figure in chosen]
    left = [0.0] * len(chosen)
    for (part, phases), colour in zip(PARTS.items(), COLOURS, strict=True):
        widths = [100 * sum(figure.phases[phase] for phase in phases) / figure.second_run for figure in chosen]
        axes.barh(names, widths, left=left, color=colour, label=part, height=0.7)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    for place, end in enumerate(left):
        axes.text(end, place, f" {end:.0f} %", va="center", fontsize=9)
    _twice_line(axes.axvline)
    axes.set_ylim(len(chosen) - 0.4, -0.6)
    axes.set_xlim(0, 1.1 * max(left))
    axes.set_xlabel("percent of the second run (dashed: running twice and nothing else)")
    picture.legend(loc="lower center", ncol=4, fontsize=8, frameon=False)
    picture.tight_layout(rect=(0, 0.6 / picture.get_figheight(), 1, 1))
    return picture


def _lengths(chosen):
    """Overhead against the length of a PE, a line for each number of modified pages."""
    picture, axes = pyplot.subplots(figsize=(8, 4.5))
    for series, colour in zip(dict.fromkeys(figure.series for figure in chosen), COLOURS[:1] + COLOURS[3:4] + COLOURS[5:],
                              strict=False):
        line = [figure for figure in chosen if figure.series == series]
        axes.plot([figure.x for figure in line], [figure.overhead for figure in line], marker="o", color=colour,
                  label=series)
    _twice_line(axes.axhline)
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(plain)
    axes.set_yticks([200, 300, 500, 1000, 2000, 5000, 10000])
    axes.minorticks_off()
    axes.set_ylim(180, max(figure.overhead for figure in chosen) * 1.2)
    axes.set_xlabel("length of a PE, pe.limit= (microseconds; 1,000 instructions each)")
    axes.set_ylabel("overhead, percent of the second run")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    picture.tight_layout()
    return picture


def _random_writes(chosen):
    """Overhead against the number of pages that a program writes at random."""
    picture, axes = pyplot.subplots(figsize=(8, 4))
    places = [figure.x for figure in chosen]
    axes.plot(places, [figure.overhead for figure in chosen], marker="o", color=COLOURS[0])
    for figure in chosen:
        axes.annotate(f"{figure.overhead:.0f}", (figure.x, figure.overhead), textcoords="offset points", xytext=(0, 7),
                      ha="center", fontsize=8)
    _twice_line(axes.axhline)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(places, [f"{place:,.0f}" for place in places])
    axes.set_yticks([200, 500, 1000, 2000, 5000], ["200", "500", "1,000", "2,000", "5,000"])
    axes.minorticks_off()
    axes.set_ylim(170, max(figure.overhead for figure in chosen) * 1.5)
    axes.set_xlabel("pages that 200,000 writes go to")
    axes.set_ylabel("overhead, percent of the second run")
    axes.grid(alpha=0.3)
    picture.tight_layout()
    return picture


def _pages(chosen):
    """How many pages a PE modifies: the share of PEs in each bucket."""
    picture, axes = pyplot.subplots(figsize=(8, 1.4 + 0.36 * len(chosen)))
    shares = [[figure.modified_pages[key] / figure.pes for key in figures.BUCKETS] for figure in chosen]
    axes.imshow(shares, aspect="auto", cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(figures.BUCKETS)), [key[1:] for key in figures.BUCKETS[:-1]] + ["65+"])
    axes.set_yticks(range(len(chosen)), [figure.name for figure in chosen])
    for row, line in enumerate(shares):
        for column, share in enumerate(line):
            if share >= 0.005:
                axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=8,
                          color="white" if share > 0.5 else "black")
    axes.set_xlabel("modified pages in a PE (percent of the program's PEs)")
    picture.tight_layout()
    return picture


# file name -> what it shows, the figures' group, how it is drawn
PICTURES = {
    "random_writes": ("200,000 writes at random, and the same reading", cases.RANDOM_WRITES, _random_writes),
    "phases": ("Where the instructions go, by workload", cases.WORKLOADS, _bars),
    "lengths": ("Overhead against the length of a PE", cases.LENGTHS, _lengths),
    "policies": ("Ways to keep pages and to flush caches: 10 modified pages in each PE of 200 us. The one instruction of "
                 "flush=all, WBINVD, costs nothing here and most of all on a real machine", cases.POLICIES, _bars),
    "pages": ("Modified pages in a PE, by workload", cases.WORKLOADS, _pages),
    "distribution": ("How PEs differ: the share of PEs that have at most so much overhead, and so many modified pages",
                     cases.DISTRIBUTION, distribution_plots.draw),
    "shares": ("Where the time goes while a system starts: the paper's two pies, of which only the second run is known, and "
               "ours. Above each pie: all of it, in percent of the second run", cases.FLUSHES, model_plots.pies),
    "model": ("The model: predicted overhead on two real CPUs", cases.WORKLOADS, model_plots.predictions),
}


def _save(picture, folder, name):
    """As PNG and SVG. Returns the SVG's text."""
    picture.savefig(folder / f"{name}.png", dpi=150)
    svg = svg_of(picture)
    (folder / f"{name}.svg").write_text(HEAD + svg, encoding="utf-8")
    return svg


def draw(found, folder):
    """Writes the plots for which there are figures. Returns title -> SVG text."""
    drawn = {}
    for name, (title, group, draw_one) in PICTURES.items():
        chosen = _good(found, group)
        if not chosen:
            continue
        picture = draw_one(chosen)
        if picture is None:  # too few figures for it
            continue
        drawn[title] = _save(picture, folder, name)
    return drawn


def draw_machine(found, ranges, folder):
    """The plots of a sheet's Figures. `ranges`: as model_plots.measured_beside() takes them. Returns title -> SVG text."""
    chosen = [figure for figure in found if not figure.error]
    if not chosen:
        return {}
    return {"Overhead on this machine, and as the model predicts it":
            _save(model_plots.measured_beside(chosen, ranges), folder, "machine_overhead"),
            "Where the cycles go": _save(_bars(chosen), folder, "machine_phases")}
