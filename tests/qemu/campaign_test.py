"""A campaign small enough for each day, with both injectors (docs/evidence.md)."""

import contextlib
import io

from boot import BootTest
from reprise.campaign import conduct, description, outcome, report, store

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
