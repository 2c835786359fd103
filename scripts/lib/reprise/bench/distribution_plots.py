"""How the PEs of a workload differ: for each value the share of PEs that have at most that much."""

from matplotlib import pyplot

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#000000")
STYLES = ("-", "--", "-.", ":", (0, (6, 1)))


def _steps(axes, chosen, value_of):
    for figure, colour, style in zip(chosen, COLOURS, STYLES, strict=False):
        values = sorted(value_of(element) for element in figure.elements)
        shares = [100 * (place + 1) / len(values) for place in range(len(values))]
        axes.step([values[0], *values], [0, *shares], where="post", color=colour, linestyle=style,
                  label=f"{figure.name} ({len(values):,} PEs)")
    axes.set_ylim(0, 101)
    axes.grid(alpha=0.3)


def draw(chosen):
    """One above the other, so that both can be read on a narrow screen."""
    picture, (overheads, pages) = pyplot.subplots(2, 1, figsize=(8, 8.6))
    _steps(overheads, chosen, lambda element: 100 * element[0] / element[1])
    overheads.set_xscale("log")
    ticks = [200, 250, 300, 400, 600, 1000, 2000]
    overheads.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    overheads.minorticks_off()
    overheads.set_xlabel("overhead of a PE, percent of its second run")
    _steps(pages, chosen, lambda element: element[2])
    pages.set_xscale("symlog", linthresh=1)
    ticks = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500]
    pages.set_xticks(ticks, [str(tick) for tick in ticks])
    pages.minorticks_off()
    pages.set_xlim(left=-0.1)
    pages.set_xlabel("modified pages of a PE")
    for axes in (overheads, pages):
        axes.set_ylabel("percent of PEs with at most that")
    handles, labels = overheads.get_legend_handles_labels()
    picture.legend(handles, labels, loc="lower center", ncol=1, frameon=False, fontsize=9)
    picture.tight_layout(rect=(0, 0.14, 1, 1))
    return picture
