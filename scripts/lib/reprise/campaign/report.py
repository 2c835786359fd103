"""What a campaign's results say: a table for people, JSON, CSV."""

import collections
import csv
import io
import json
import shlex

from . import description, outcome
from .statistics import clopper_pearson

# Runs that end other than they should. Each of them is listed with the command that repeats it.
FAILURES = (outcome.CRASH, outcome.HANG, outcome.SDC, outcome.KERNEL_FAILURE, outcome.INJECTOR_FAILED)


def _classes(outcomes, population, confidence):
    """Count, rate, its interval, and how many of all possible faults that would be, for each class."""
    counts, total = collections.Counter(outcomes), len(outcomes)
    result = {}
    for name in outcome.ALL:
        low, high = clopper_pearson(counts[name], total, confidence)
        rate = counts[name] / total if total else 0.0
        result[name] = {"count": counts[name], "rate": rate, "low": low, "high": high, "absolute": round(rate * population),
                        "absolute_low": round(low * population), "absolute_high": round(high * population)}
    return result


def _by(results, key):
    """Counts of each class, by one of a fault's circumstances."""
    table = collections.defaultdict(collections.Counter)
    for _, fault, found, details in results:
        value = {**fault, **details}.get(key)
        if value is not None:
            table[str(value)][found] += 1
    return {value: dict(counts) for value, counts in sorted(table.items())}


def _failures(results, path):
    return [{"number": number, "outcome": found, **fault, **details,
             "repeat": shlex.join(["scripts/campaign", "repeat", str(path), str(number)])}
            for number, fault, found, details in results if found in FAILURES]


def summary(store):
    """All of it, as it becomes JSON."""
    kept = store.kept()
    campaign, populations = description.parse(kept["description"]), json.loads(kept["populations"])
    made = []
    for series in campaign.series:
        results = store.results(series.name)
        made.append({
            "name": series.name, "program": series.program, "injector": series.injector, "targets": series.targets,
            "hardened": series.hardened, "model": series.model, "population": populations[series.name],
            "planned": store.planned(series.name), "done": len(results),
            "classes": _classes([found for _, _, found, _ in results], populations[series.name], campaign.confidence),
            "by_ring": _by(results, "ring"),
            "by_target": _by(results, "target") if series.targets not in ("memory", "pages") else {},
            "failures": _failures(results, store.path)})
    return {"seed": campaign.seed, "confidence": campaign.confidence, "series": made}


def as_json(found):
    return json.dumps(found, indent=1) + "\n"


def as_csv(found):
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    columns = ("count", "rate", "low", "high", "absolute", "absolute_low", "absolute_high")
    writer.writerow(["series", "program", "injector", "targets", "hardened", "model", "population", "done", "outcome", *columns])
    for series in found["series"]:
        for name, figures in series["classes"].items():
            writer.writerow([series["name"], series["program"], series["injector"], series["targets"],
                             "yes" if series["hardened"] else "no", series["model"], series["population"], series["done"], name,
                             *(figures[column] for column in columns)])
    return file.getvalue()


def _series_lines(series, confidence):
    hardened = "each processing element run twice" if series["hardened"] else "run once, the baseline"
    yield f"{series['name']}: {series['program']}, {hardened}"
    yield f"  {series['injector']} injector, {series['targets']}, {series['model']}"
    yield f"  {series['done']} of {series['planned']} faults, out of {series['population']:.3g} that there are"
    yield f"  {'outcome':20} {'count':>6} {'rate':>8}  {confidence:.0%} interval    extrapolated (interval)"
    for name, figures in series["classes"].items():
        if figures["count"] or name == outcome.SDC:
            yield (f"  {name:20} {figures['count']:6} {figures['rate']:8.3%}  {figures['low']:.3%} to {figures['high']:.3%}  "
                   f"{figures['absolute']:.3g} ({figures['absolute_low']:.3g} to {figures['absolute_high']:.3g})")
    for ring, counts in series["by_ring"].items():
        yield f"  struck in ring {ring}: " + ", ".join(f"{counts[name]} {name}" for name in outcome.ALL if name in counts)
    for failure in series["failures"]:
        yield f"  {failure['outcome']}: {failure['repeat']}"


def as_text(found):
    blocks = ["\n".join(_series_lines(series, found["confidence"])) for series in found["series"]]
    return "\n\n".join(blocks) + "\n"
