"""The plots of a campaign's page, as SVG."""

from ..drawing import pyplot, svg_of
from . import outcome

COLOURS = {outcome.MASKED: "#999999", outcome.RECOVERED: "#0072b2", outcome.EXCEPTION_RECOVERED: "#56b4e9",
           outcome.STOPPED: "#f0e442", outcome.CRASH: "#e69f00", outcome.HANG: "#cc79a7", outcome.SDC: "#d55e00",
           outcome.KERNEL_FAILURE: "#000000"}
INJECTORS = {"inner": COLOURS[outcome.RECOVERED], "outer": COLOURS[outcome.SDC]}
RUNS = {"once": COLOURS[outcome.CRASH], "twice": COLOURS[outcome.RECOVERED]}
WIDTH, ROW = 7, 0.45  # inches; a telephone shows this width, too
LEGEND = 0.45  # inches


def _rows(count, more=1.4):
    picture, axes = pyplot.subplots(figsize=(WIDTH, more + ROW * count))
    axes.set_ylim(count - 0.4, -0.6)
    return picture, axes


def _finish(picture, axes, columns=4):
    picture.legend(*axes.get_legend_handles_labels(), loc="lower center", ncol=columns, fontsize=9, frameon=False)
    picture.tight_layout(rect=(0, LEGEND / picture.get_figheight(), 1, 1))
    return picture


def outcomes(names, groups):
    """What became of the faults that struck, a bar for each group. `names`: of the groups, for people."""
    picture, axes = _rows(len(groups))
    left = [0.0] * len(groups)
    for name, colour in COLOURS.items():
        widths = [100 * group["counts"][name] / max(1, group["struck"]) for group in groups]
        axes.barh(range(len(groups)), widths, left=left, color=colour, label=name, height=0.7)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    for place, group in enumerate(groups):
        axes.text(101, place, f"of {group['struck']:,}", va="center", fontsize=8)
    axes.set_yticks(range(len(groups)), names)
    axes.set_xlim(0, 118)
    axes.set_xlabel("percent of the faults that struck")
    return _finish(picture, axes)


def absolutes(rows):
    """Failures among all faults that there are, once and twice."""
    picture, axes = _rows(len(rows))
    for number, name in enumerate(("once", "twice")):
        for what, marker, offset in (("failures", "o", -0.18), ("sdc", "x", 0.18)):
            figures = [row[f"{name}_{what}"] for row in rows]
            places = [place + offset + 0.14 * (number - 0.5) for place in range(len(rows))]
            values = [max(1, each["absolute"]) for each in figures]
            spread = [[value - max(1, each["absolute_low"]) for value, each in zip(values, figures, strict=True)],
                      [each["absolute_high"] - value for value, each in zip(values, figures, strict=True)]]
            label = f"run {name}: " + ("wrong output" if what == "sdc" else "all failures")
            axes.errorbar(values, places, xerr=spread, fmt=marker, color=RUNS[name], label=label, capsize=2, elinewidth=1)
    axes.set_yticks(range(len(rows)), [row["targets"] for row in rows])
    axes.set_xscale("log")
    axes.set_xlabel("failures among all faults that there are (where none was seen, 1)")
    axes.grid(axis="x", alpha=0.3)
    return _finish(picture, axes, 2)


def latency(until, more):
    """How soon a fault is found, and what mending it costs. Both are values at each percent of the faults."""
    picture, axes = pyplot.subplots(figsize=(WIDTH, 3.6))
    for values, label, colour in ((until, "until both runs are compared, at most (inner injector)", INJECTORS["inner"]),
                                  (more, "more in all, restart and log with it (outer injector, ring 3)", INJECTORS["outer"])):
        if values:
            axes.plot([max(1, value) for value in values], range(len(values)), color=colour, label=label)
    axes.set_xscale("log")
    axes.set_xlabel("instructions")
    axes.set_ylabel("percent of the detected faults")
    axes.grid(alpha=0.3)
    return _finish(picture, axes, 1)


def agreement(rows):
    """The detected share by each injector, with its interval."""
    picture, axes = _rows(len(rows))
    for injector, offset in (("inner", -0.15), ("outer", 0.15)):
        shares = [row[injector] for row in rows]
        rates = [100 * each["rate"] for each in shares]
        spread = [[100 * (each["rate"] - each["low"]) for each in shares], [100 * (each["high"] - each["rate"]) for each in shares]]
        axes.errorbar(rates, [place + offset for place in range(len(rows))], xerr=spread, fmt="o", color=INJECTORS[injector],
                      label=f"{injector} injector", capsize=2, elinewidth=1, markersize=4)
    axes.set_yticks(range(len(rows)), [f"{row['program']}: {row['kind']}" for row in rows])
    axes.set_xlim(0, 103)
    axes.set_xlabel("percent detected, of the faults that struck ring 3")
    axes.grid(axis="x", alpha=0.3)
    return _finish(picture, axes, 2)


def drawn(found, names):
    """Title -> SVG text."""
    made = {"What became of the faults": outcomes(names, found["groups"])}
    if found["absolutes"]:
        made["Absolute failures, run once and run twice"] = absolutes(found["absolutes"])
    if found["latency"]["until_compared"] or found["latency"]["more_in_all"]:
        made["How soon a fault is found, and what mending it costs"] = latency(**{
            "until": found["latency"]["until_compared"], "more": found["latency"]["more_in_all"]})
    if found["agreement"]:
        made["The two injectors beside each other"] = agreement(found["agreement"])
    return {title: svg_of(picture) for title, picture in made.items()}
