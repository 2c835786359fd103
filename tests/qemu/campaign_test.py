"""A campaign small enough for each day, with both injectors (docs/evidence.md)."""

import collections
import contextlib
import io
import itertools
import random
from concurrent.futures import ThreadPoolExecutor

from boot import BootTest, long_test
from reprise.campaign import conduct, description, outcome, outer, report, store

DESCRIPTION = """
[programs.pages]
command = ["pages", "100", "50"]
[programs.matrix]
command = ["matrix", "40", "4"]
arguments = "pe.limit=50"
[[series]]
name = "pages"
program = "pages"
injector = "inner"
targets = "pages"
faults = 100
[[series]]
name = "registers"
program = "matrix"
injector = "inner"
targets = "registers"
faults = 100
[[series]]
name = "hardened"
program = "matrix"
injector = "outer"
targets = "general"
faults = 20
[[series]]
name = "baseline"
program = "matrix"
injector = "outer"
targets = "general"
hardened = false
faults = 12
"""
PRUNED = """
[programs.pages]
command = ["pages", "20", "5"]
memory = 32
[[series]]
name = "kernel"
program = "pages"
injector = "outer"
targets = "kernel"
prune = true
faults = 60
[[series]]
name = "memory"
program = "pages"
injector = "outer"
targets = "memory"
prune = true
faults = 60
"""
HARMLESS = {outcome.NOT_ACTIVATED, outcome.MASKED, outcome.RECOVERED, outcome.EXCEPTION_RECOVERED}


class Campaign(BootTest):
    cost = 40

    def test_a_small_campaign_with_both_injectors(self):
        results = self.scratch / "results.db"
        with contextlib.redirect_stderr(io.StringIO()):
            conduct.run(description.parse(DESCRIPTION), results)
        with store.Store(results) as kept:
            found = report.summary(kept)
        self.consoles.append(report.as_text(found))
        pages = found["series"][0]
        self.assertGreater(pages["classes"][outcome.RECOVERED]["count"], pages["done"] // 2)
        # Without a second run the same flips do harm. Otherwise they would say nothing of the second run.
        self.assertGreater(found["series"][3]["failing"]["count"], 0)
        for series in found["series"]:
            self.assertEqual(series["done"], series["planned"])
            counts = {name: figures["count"] for name, figures in series["classes"].items() if figures["count"]}
            if series["injector"] == "inner":
                self.assertEqual(set(counts) - HARMLESS, set())
                # An injector that hits nothing would find nothing.
                self.assertLess(counts.get(outcome.NOT_ACTIVATED, 0), series["done"])
            else:
                self.assertNotIn(outcome.NOT_ACTIVATED, counts)
                self.assertEqual(sum(sum(ring.values()) for ring in series["by_ring"].values()), series["done"])
                if series["hardened"]:  # what strikes in ring 0 is outside the promise
                    self.assertGreater(sum(series["by_ring"]["3"].values()), series["done"] // 3)
                    self.assertEqual(set(series["by_ring"]["3"]) - HARMLESS, set())

    def test_a_fault_that_ends_a_program_is_undone_where_it_runs_twice(self):
        with conduct.bench_of(description.parse(DESCRIPTION)) as bench:
            for name, expected in (("baseline", outcome.CRASH), ("hardened", outcome.EXCEPTION_RECOVERED)):
                golden = bench.golden(name)
                # Soon after the program's start, and no address has this bit.
                fault = {"at": golden["first"] + 1, "target": "rsp", "bit": 45, "model": "single"}
                self.assertTrue(bench.injectors[name]._victim.goes_on, "no state was kept")
                (found, details), = bench.injectors[name].run(golden, [fault], bench.scratch)
                self.assertEqual((found, details["ring"]), (expected, 3))


class Pruning(BootTest):
    """What is known of faults without a run, against their runs."""

    cost = 60

    def check(self, series, drawn, tried, written, pairs):
        """Runs the first `tried` of so many drawn faults, and beside them those that are hardest to judge: `written` of the faults
        whose byte is written before it is read, and `pairs` of two faults that are said to be the same."""
        with conduct.bench_of(description.parse(PRUNED)) as bench:
            golden, made = bench.golden(series), bench.injectors[series]
            source = random.Random(f"pruning {series}")
            faults = [made.draw(golden, source) for _ in range(drawn)]
            known = made.resolve(golden, faults, bench.scratch)

            overwritten = [n for n in range(tried, drawn) if known[n].get("dead") == outer.WRITTEN][:written]
            self.assertEqual(len(overwritten), written)
            chosen = [*range(tried), *overwritten]
            # Two faults some instructions apart, of which the first is read one day.
            used = [fault for fault, each in zip(faults, known, strict=True) if "used_by" in each]
            twice = [later for fault in used for later in (fault, {**fault, "at": fault["at"] + source.randrange(1, 2000)})
                     if later["at"] < golden["end"]]
            same = [(twice[each["same_as"]], fault) for fault, each in zip(
                twice, made.resolve(golden, twice, bench.scratch), strict=True) if "same_as" in each]
            self.assertGreaterEqual(len(same), pairs)
            del same[pairs:]
            with ThreadPoolExecutor() as pool:
                to_run = [*(faults[number] for number in chosen), *itertools.chain(*same)]
                ends = list(pool.map(lambda fault: made.run(golden, [fault], bench.scratch)[0][0], to_run))
        found = collections.Counter()
        for number, what in zip(chosen, ends[:len(chosen)], strict=True):
            dead = known[number].get("dead", "run")
            found[dead, what] += 1
            if dead != "run":
                self.assertEqual(what, outcome.MASKED, f"{dead}: {faults[number]}")
        of_pairs = ends[len(chosen):]
        for (one, other), first, second in zip(same, of_pairs[::2], of_pairs[1::2], strict=True):
            found["pair", first] += 1
            self.assertEqual(second, first, f"{one} and {other}")
        self.consoles.append(f"{series}: {dict(found)}")
        # A test of faults that all do nothing would say little.
        self.assertTrue(any(what != outcome.MASKED for _, what in found), found)

    def test_what_is_known_of_faults_in_the_kernel_is_what_their_runs_show(self):
        self.check("kernel", drawn=20_000, tried=4, written=6, pairs=8)

    def test_a_pruned_campaign_runs_only_what_it_must(self):
        results = self.scratch / "results.db"
        with contextlib.redirect_stderr(io.StringIO()):
            conduct.run(description.parse(PRUNED), results)
        with store.Store(results) as kept:
            found = report.summary(kept)
            for series in found["series"]:
                rows = kept.results(series["name"])
                self.assertEqual(len(rows), 60)
                self.assertEqual(series["dead"], sum(known.get("dead") in outer.DEAD for known in kept.known(series["name"]).values()))
                self.assertTrue(40 < series["dead"] < 60 and series["run"] == 60 - series["dead"] - series["shared"])
                self.assertTrue(all(what == outcome.MASKED for _, _, what, details in rows if "dead" in details))

    @long_test
    def test_the_same_of_many_faults_in_all_memory(self):
        self.check("memory", drawn=200_000, tried=400, written=200, pairs=100)

    @long_test
    def test_the_same_of_many_faults_in_the_kernel(self):
        self.check("kernel", drawn=200_000, tried=400, written=200, pairs=100)
