"""A campaign's results as one HTML file for people who do not know the project."""

from html import escape

from ..web_page import document, figures, marked_up, table
from . import outcome, plots
from .analysis import ANYWHERE, FAILURES, share
from .report import WAYS

SHOWN = 300  # failures; JSON has all of them
TARGETS = {"registers": "registers", "general": "general registers", "flags": "RFLAGS", "vector": "vector registers",
           "control": "control registers", "memory": "all memory", "kernel": "the kernel's memory", "pages": "modified pages",
           "page-tables": "page tables", "snapshot": "the snapshot"}


def name_of(group):
    """A group in words. `group`: as in a summary."""
    ring = {"3": ", in ring 3", "0": ", in ring 0", ANYWHERE: ""}[group["ring"]]
    run = "twice" if group["hardened"] else "once"
    model = "" if group["model"] == "single" else f", {group['model']}"
    return f"{TARGETS[group['targets']]}{ring}, run {run} ({group['injector']}{model})"


def _percent(value):
    return f"{100 * value:.3g} %"


def _share(each):
    return f"{_percent(each['rate'])} ({_percent(each['low'])} to {_percent(each['high'])})"


def _big(value):
    return f"{value:,}" if value < 1e6 else f"{value:.2e}"


def _absolute(each):
    return f"{_big(each['absolute'])} ({_big(each['absolute_low'])} to {_big(each['absolute_high'])})"


def _sum(groups, *names):
    return sum(group["counts"][name] for group in groups for name in names)


def _promise(groups, confidence):
    chosen = [group for group in groups if group["promised"]]
    struck = sum(group["struck"] for group in chosen)
    if not struck:
        return "none were injected."
    sdc, failures = (share(_sum(chosen, *names), struck, confidence) for names in ((outcome.SDC,), FAILURES))
    return (f"<b>{struck:,}</b> faults struck them. <b>{sdc['count']:,}</b> led to wrong output, and {failures['count'] - sdc['count']:,} "
            f"to another bad end: with {confidence:.0%} confidence, at most {_percent(failures['high'])} do. "
            f"{_sum(chosen, outcome.RECOVERED, outcome.EXCEPTION_RECOVERED):,} were detected and mended, "
            f"{_sum(chosen, outcome.STOPPED):,} stopped the program with a diagnosis, {_sum(chosen, outcome.MASKED):,} died out.")


def _bad_ends(groups):
    struck = sum(group["struck"] for group in groups)
    if not struck:
        return "none were injected."
    return (f"of {struck:,} faults that struck, {_sum(groups, outcome.SDC):,} led to wrong output, {_sum(groups, outcome.CRASH):,} to a "
            f"crash, {_sum(groups, outcome.HANG):,} to a hang, {_sum(groups, outcome.KERNEL_FAILURE):,} to a failure of the kernel, "
            f"{sum(group['kernel_said'] for group in groups):,} of which it noticed and stopped ({_percent(_sum(groups, *FAILURES) / struck)} in all).")


def _first_screen(found):
    groups = found["groups"]
    injected = sum(series["done"] for series in found["series"])
    planned = sum(series["planned"] for series in found["series"])
    programs = ", ".join(found["programs"])
    once = [group for group in groups if not group["hardened"]]
    outside = [group for group in groups if group["hardened"] and not group["promised"]]
    told = f"<b>{injected:,}</b> faults" + (f" of {planned:,} that are planned" if injected < planned else "")
    failed = _sum(groups, outcome.INJECTOR_FAILED)
    run, dead, shared = (sum(series[way] for series in found["series"]) for way in WAYS)
    together = sum(sum(series["together"].values()) for series in found["series"])
    apart = f" {together:,} shared a boot that ended badly, though each part of it ended well." if together else ""
    ways = (f" {run:,} were run. Of {dead:,} it is known without a run that they do nothing, as nothing reads the byte afterwards or it "
            f"is written first; {shared:,} are the same as one that was run.") if run < injected else ""
    return (
        "<p>Reprise is a kernel that runs every piece of a program twice and lets a result out only when both runs agree. Here bits were "
        "flipped at random while programs ran: one bit of a register or of memory, at one instruction. The inner injector is part of the "
        "kernel, the outer one sits in the emulator and knows nothing of Reprise.</p><ul>"
        f"<li>Injected: {told} in {len(found['programs'])} programs ({escape(programs)}), drawn evenly from all instructions and bits. "
        f"{_sum(groups, outcome.NOT_ACTIVATED):,} did not strike; in {failed:,} the injector failed.{ways}{apart}</li>"
        f"<li>Where the promise holds (programs that run twice, ring 3): {_promise(groups, found['confidence'])}</li>"
        f"<li>The same programs run once: {_bad_ends(once)}</li>"
        f"<li>Run twice, but outside the promise (the kernel itself, memory at rest): {_bad_ends(outside)}</li>"
        "<li>To repeat it: <code>scripts/campaign run DESCRIPTION.toml</code> makes the same faults; the description stands at the end. "
        f"<code>scripts/campaign repeat {escape(found['results'])} NUMBER</code> makes one of them and shows the console.</li></ul>")


def _groups_table(found):
    rows = [(name_of(group), f"{group['struck']:,}", *(f"{group['counts'][name]:,}" for name in plots.COLOURS))
            for group in found["groups"]]
    rates = [(name_of(group), _share(group["sdc"]), _share(group["failures"])) for group in found["groups"]]
    return table(("faults", "struck", *plots.COLOURS), rows) + table(("faults", "rate of wrong output", "rate of all failures"), rates)


def _absolutes_table(found):
    rows = []
    for row in found["absolutes"]:
        for what, name in (("sdc", "wrong output"), ("failures", "all failures")):
            once, twice = row[f"once_{what}"], row[f"twice_{what}"]
            ratio = f"{twice['absolute'] / once['absolute']:.3f}" if once["absolute"] else ""
            rows.append((f"{TARGETS[row['targets']]}: {name}", f"{once['count']:,}", _absolute(once), f"{twice['count']:,}",
                         _absolute(twice), ratio))
    return table(("outer injector, all rings", "seen, once", "absolute, once", "seen, twice", "absolute, twice", "twice / once"), rows)


def _agreement_table(found):
    rows = [(f"{row['program']}: {row['kind']} registers", *(text for injector in ("inner", "outer") for text in
                                              (f"{row[injector]['of']:,}", _share(row[injector]), f"{row[injector]['failed']:,}")),
             "yes" if row["agree"] else "NO") for row in found["agreement"]]
    return table(("faults", "inner: struck", "detected", "failed", "outer: struck", "detected", "failed", "agree"), rows)


def _restarts_table(found):
    numbers = sorted({number for counts in found["restarts"].values() for number in counts}, key=int)
    rows = [(f"{injector} injector", *(f"{counts.get(number, 0):,}" for number in numbers)) for injector, counts in found["restarts"].items()]
    return table(("faults mended by", *(f"{number} restarts" if int(number) else "not known" for number in numbers)), rows)


def _sources_table(found):
    rows = [(f"`{row['place']}`", TARGETS[row["targets"]], "twice" if row["hardened"] else "once", row["ring"],
             *(f"{row['counts'].get(name, 0):,}" for name in FAILURES)) for row in found["sources"]]
    return table(("function, or object of the kernel", "targets", "run", "ring", *FAILURES), rows, "words")


def _series_table(found):
    rows = [(series["name"], f"{series['done']:,} of {series['planned']:,}", f"{series['population']:.3g}",
             *(f"{series[way]:,}" for way in WAYS), *(f"{series['classes'][name]['count']:,}" for name in outcome.ALL), _absolute(series["classes"][outcome.SDC]),
             _absolute(series["failing"])) for series in found["series"]]
    return table(("series", "faults", "of so many", "run", "known to do nothing", "same as another", *outcome.ALL,
                  "absolute wrong outputs", "absolute failures"), rows)


def _worst_first(found):
    rank = {name: -number for number, name in enumerate(outcome.ALL)}
    listed = [(series, failure) for series in found["series"] for failure in series["failures"]]
    return sorted(listed, key=lambda item: (not item[0]["hardened"], rank[item[1]["outcome"]], item[1]["number"]))


def _what(failure):
    place = f"memory {failure['address']:#x}" if "address" in failure else failure["target"]
    return f"{place}, bit {failure['bit']}"


def _failures_table(found):
    rows = []
    for series, failure in _worst_first(found)[:SHOWN]:
        where = failure.get("why") or f"`{failure.get('function', '')}`: `{failure.get('instruction', '')}`"
        rows.append((series["name"], failure["outcome"], _what(failure), str(failure.get("ring", "")), f"`{failure['repeat']}`", where))
    return table(("series", "outcome", "flipped", "ring", "repeats it", "in, and before"), rows, "words")


def _part(title, meaning, content):
    return f"<h2>{escape(title)}</h2><p>{marked_up(meaning)}</p>{content}"


def made(found, description):
    """The page's text. `found`: a summary; `description`: the campaign's."""
    pictures = figures(plots.drawn(found, [name_of(group) for group in found["groups"]]))
    confidence = f"{found['confidence']:.0%}"
    listed = sum(len(series["failures"]) for series in found["series"])
    classes = "".join(f"<dt>{name}</dt><dd>{escape(meaning)}</dd>" for name, meaning in outcome.MEANING.items())
    return document("fault injection, and what came of it", _first_screen(found) + pictures
        + _part("What became of the faults", f"Rates are of the faults that struck, with Clopper-Pearson intervals at {confidence}. Hardened "
                "faults of the outer injector are divided by the ring that they struck. Failures are crashes, hangs, wrong output and "
                "failures of the kernel.", _groups_table(found))
        + f"<dl>{classes}</dl>"
        + (_part("Absolute failures", "Rates flatter a slower system, because it is longer exposed. So here is how many of all possible faults "
                "(instructions times bits) would lead to failures, summed over the programs. An interval is the sum of the programs' "
                "intervals.", _absolutes_table(found)) if found["absolutes"] else "")
        + _part("Do the injectors agree?", "The share that is detected, of faults that both can make: single bits of registers in ring 3 of "
                "programs that run twice; RIP and RFLAGS count as general. They agree where the intervals overlap.", _agreement_table(found))
        + _part("Restarts", "How many restarts mended a fault. Where several inner faults shared a boot and their restarts cannot be told "
                "apart, the number is not known.", _restarts_table(found))
        + _part("Where failures came from", "The function that was interrupted by a flip of a register; the kernel's object that a flip of memory "
                "hit, or where that is not in the kernel's file, who read the byte first, if that is known. Names are those of the build tree "
                "at hand.", _sources_table(found))
        + _part("Each failure", f"{listed:,} in all, the worst of programs that run twice first" +
                (f"; {SHOWN} are shown, and `--json` has all." if listed > SHOWN else "."), _failures_table(found))
        + _part("All series", "One program each.", _series_table(found))
        + f'<h2>The description</h2><pre class="wide">{escape(description)}</pre>')
