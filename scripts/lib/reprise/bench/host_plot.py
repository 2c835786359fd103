"""The picture of scripts/bench --host: pages copied and compared by vectors, in percent of the C library."""

from . import plots
from .plots import pyplot

SHOWN = {"checked_copy_of_page": "copy with check word, percent of memcpy",
         "compare_pages": "compare with check word, percent of memcmp"}
WIDTHS = ("sse2", "avx2", "avx512")


def _panel(axes, chosen, title):
    levels = list(dict.fromkeys(ratio.where for ratio in chosen))
    for number, width in enumerate(WIDTHS):
        bars = [ratio for ratio in chosen if ratio.width == width]
        places = [levels.index(ratio.where) + 0.27 * (number - 1) for ratio in bars]
        heights = [ratio.ratio for ratio in bars]
        spread = [[ratio.ratio - ratio.lowest for ratio in bars], [ratio.highest - ratio.ratio for ratio in bars]]
        axes.bar(places, heights, width=0.25, color=plots.COLOURS[number], label=width)
        axes.errorbar(places, heights, yerr=spread, fmt="none", ecolor="black", elinewidth=1, capsize=2)
    axes.axhline(100, color="black", linewidth=1)
    axes.axhline(chosen[0].aim, color="black", linewidth=1, linestyle="--")
    axes.set_xticks(range(len(levels)), levels)
    axes.set_title(title, fontsize=10)


def draw(results, folder):
    """Writes host.png and host.svg when there is something to show."""
    chosen = {operation: [ratio for ratio in results.ratios if ratio.operation == operation] for operation in SHOWN}
    chosen = {operation: ratios for operation, ratios in chosen.items() if ratios}
    if not chosen:
        return
    picture, panels = pyplot.subplots(1, len(chosen), figsize=(4.5 * len(chosen), 4), squeeze=False)
    for axes, (operation, ratios) in zip(panels[0], chosen.items(), strict=True):
        _panel(axes, ratios, SHOWN[operation])
    panels[0][0].legend(frameon=False)
    picture.suptitle(f"{results.cpu}. Dashed: the project's aim", fontsize=9)
    picture.tight_layout()
    for kind in ("png", "svg"):
        picture.savefig(folder / f"host.{kind}", dpi=150)
    pyplot.close(picture)
