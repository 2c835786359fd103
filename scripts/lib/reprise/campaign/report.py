"""What a campaign's results say: a table for people, JSON, CSV."""

import collections
import csv
import io
import json
import shlex

from . import analysis, description, outcome
from .statistics import clopper_pearson

# Each of them is listed with the command that repeats it.
LISTED = (*analysis.FAILURES, outcome.INJECTOR_FAILED)
WAYS = ("run", "dead", "shared")
COLUMNS = ("count", "rate", "low", "high", "absolute", "absolute_low", "absolute_high")


def _figures(count, total, population, confidence):
    """Count, rate, its interval, and how many of all possible faults that would be."""
    low, high = clopper_pearson(count, total, confidence)
    rate = count / total if total else 0.0
    return {"count": count, "rate": rate, "low": low, "high": high, "absolute": round(rate * population),
            "absolute_low": round(low * population), "absolute_high": round(high * population)}


def _classes(outcomes, population, confidence):
    """Rates are of the faults of which something is known. So those that the injector failed to make have a count and no rate."""
    counts = collections.Counter(outcomes)
    known = len(outcomes) - counts[outcome.INJECTOR_FAILED]
    figures = {name: _figures(counts[name], known, population, confidence) for name in outcome.ALL}
    figures[outcome.INJECTOR_FAILED] = dict.fromkeys(COLUMNS) | {"count": counts[outcome.INJECTOR_FAILED]}
    return figures


def _by(results, key):
    """Counts of each class, by one of a fault's circumstances."""
    table = collections.defaultdict(collections.Counter)
    for _, fault, found, details in results:
        value = {**fault, **details}.get(key)
        if value is not None:
            table[str(value)][found] += 1
    return {value: dict(counts) for value, counts in sorted(table.items())}


def _failures(results, path, program):
    return [{"number": number, "outcome": found, **fault, **details, **analysis.origin(program, fault, details),
             "repeat": shlex.join(["scripts/campaign", "repeat", str(path), str(number)])}
            for number, fault, found, details in results if found in LISTED]


def _ways(results):
    """How many faults had a run of their own, how many are known to do nothing, how many share another one's run."""
    dead = sum("dead" in details for *_, details in results)
    shared = sum("same_as" in details for *_, details in results)
    return {"run": len(results) - dead - shared, "dead": dead, "shared": shared}


def summary(store):
    """All of it, as it becomes JSON."""
    kept = store.kept()
    campaign, populations = description.parse(kept["description"]), json.loads(kept["populations"])
    goldens = json.loads(kept["goldens"])
    made, rows = [], {}
    for series in campaign.series:
        results = rows[series.name] = store.results(series.name)
        outcomes, population = [found for _, _, found, _ in results], populations[series.name]
        failing = sum(found in analysis.FAILURES for found in outcomes)
        known = len(outcomes) - outcomes.count(outcome.INJECTOR_FAILED)
        made.append({
            "name": series.name, "program": series.program, "injector": series.injector, "targets": series.targets,
            "hardened": series.hardened, "model": series.model, "population": population,
            "planned": store.planned(series.name), "done": len(results), **_ways(results),
            "classes": _classes(outcomes, population, campaign.confidence),
            "failing": _figures(failing, known, population, campaign.confidence),
            "by_ring": _by(results, "ring"),
            "together": dict(collections.Counter(details["together"] for *_, details in results if "together" in details)),
            "by_target": _by(results, "target") if series.targets not in ("memory", "pages", "page-tables", "snapshot") else {},
            "failures": _failures(results, store.path, campaign.programs[series.program])})
    until, more = analysis.latencies(campaign, rows, goldens)
    return {"seed": campaign.seed, "confidence": campaign.confidence, "results": str(store.path),
            "programs": {name: shlex.join(program.command) for name, program in campaign.programs.items()},
            "groups": [each.as_json(campaign.confidence) for each in analysis.groups(campaign, rows)],
            "absolutes": analysis.absolutes(made), "agreement": analysis.agreement(campaign, rows, campaign.confidence),
            "sources": analysis.sources(made), "restarts": analysis.restarts(campaign, rows),
            "latency": {"until_compared": until, "more_in_all": more}, "series": made}


def as_json(found):
    return json.dumps(found, indent=1) + "\n"


def as_short_json(found):
    """What series say together, a line for each: small enough to be kept beside the description."""
    together = {key: value for key, value in found.items() if key not in ("series", "results")}
    together["latency"] = {name: values[::10] for name, values in found["latency"].items()}  # at each tenth of the faults
    lines = []
    for key, value in together.items():
        if isinstance(value, list):
            rows = ",\n  ".join(json.dumps(row) for row in value)
            lines.append(f' {json.dumps(key)}: [\n  {rows}]')
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def as_csv(found):
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["series", "program", "injector", "targets", "hardened", "model", "population", "done",
                     *WAYS, "outcome", *COLUMNS])
    for series in found["series"]:
        for name, figures in series["classes"].items():
            writer.writerow([series["name"], series["program"], series["injector"], series["targets"],
                             "yes" if series["hardened"] else "no", series["model"], series["population"], series["done"],
                             *(series[way] for way in WAYS), name, *(figures[column] for column in COLUMNS)])
    return file.getvalue()


def _series_lines(series, confidence):
    hardened = "each processing element run twice" if series["hardened"] else "run once, the baseline"
    yield f"{series['name']}: {series['program']}, {hardened}"
    yield f"  {series['injector']} injector, {series['targets']}, {series['model']}"
    yield f"  {series['done']} of {series['planned']} faults, out of {series['population']:.3g} that there are"
    if series["run"] < series["done"]:
        yield (f"  {series['run']} were run; {series['dead']} are known to do nothing, and {series['shared']} to be the same as one "
               "that was run")
    yield f"  {'outcome':20} {'count':>6} {'rate':>8}  {confidence:.0%} interval    extrapolated (interval)"
    for name, figures in series["classes"].items():
        if figures["rate"] is None:
            if figures["count"]:
                yield f"  {name:20} {figures['count']:6}"
        elif figures["count"] or name == outcome.SDC:
            yield (f"  {name:20} {figures['count']:6} {figures['rate']:8.3%}  {figures['low']:.3%} to {figures['high']:.3%}  "
                   f"{figures['absolute']:.3g} ({figures['absolute_low']:.3g} to {figures['absolute_high']:.3g})")
    for ring, counts in series["by_ring"].items():
        yield f"  struck in ring {ring}: " + ", ".join(f"{counts[name]} {name}" for name in outcome.ALL if name in counts)
    for what, count in series["together"].items():
        yield f"  {count} of these shared a boot that ended as {what}, though each part of it ended well"
    for failure in series["failures"]:
        yield f"  {failure['outcome']}: {failure['repeat']}"


def as_text(found):
    blocks = ["\n".join(_series_lines(series, found["confidence"])) for series in found["series"]]
    return "\n\n".join(blocks) + "\n"
