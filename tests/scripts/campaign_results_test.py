"""scripts/campaign: results that survive whatever ends the campaign, and what is known of faults without a run. No machine is booted
here."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import listed
from campaign_parts import DESCRIPTION, FAKE, GOLDEN, PRUNED, TOP, Campaigns, injector

import campaign
from reprise import machine
from reprise.campaign import CampaignError, analysis, conduct, description, outcome, outer, page, plan, report, statistics, store


class Results(Campaigns):
    def test_a_campaign_killed_at_random_and_resumed_has_the_results_of_one_that_was_not(self):
        self.finish("whole.db")
        source, kills = random.Random(5), 0
        while kills < 10:
            # It ends itself by SIGKILL in the middle of its work, before or after a write.
            place = source.choice(("before", "after"))
            before = ("import os, signal\nfrom reprise.campaign import store\n"
                      f"old, left = store.Store.record, {source.randrange(1, 9)}\n"
                      "def record(self, results):\n"
                      "    global left\n"
                      "    left -= 1\n"
                      "    if left < 0 and 'before' == place: os.kill(os.getpid(), signal.SIGKILL)\n"
                      "    old(self, results)\n"
                      "    if left < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
                      f"store.Store.record, place = record, {place!r}\n")
            self.assertEqual(self.started("killed.db", before=before).wait(), -signal.SIGKILL)
            kills += 1
        partial = sum(map(len, self.found("killed.db").values()))
        self.finish("killed.db")
        whole = self.found("whole.db")
        self.assertTrue(0 < partial < sum(map(len, whole.values())))
        self.assertEqual(self.found("killed.db"), whole)
        self.assertEqual(len(whole["two"]), 40)
        self.assertEqual(len(whole["one"]), statistics.sample_size(64000, 0.99, 0.1))

    def test_a_campaign_goes_on_after_a_fault_that_could_not_be_made(self):
        before = ("from reprise.campaign import InjectionError\n"
                  "right = Fake.run\n"
                  "def run(self, golden, faults, scratch):\n"
                  "    if any(fault['at'] % 10 == 0 for fault in faults): raise InjectionError('QEMU has died')\n"
                  "    return right(self, golden, faults, scratch)\n"
                  "Fake.run = run\n")
        self.assertEqual(self.started("part.db", before=before).wait(), 0)
        with store.Store(self.scratch / "part.db") as results:
            found = [result for _, fault, *result in results.results("two") if fault["at"] % 10 == 0]
            listed_there = report.summary(results)["series"][1]["failures"]
        self.assertGreater(len(found), 0)
        self.assertEqual(found, [[outcome.INJECTOR_FAILED, {"why": "QEMU has died"}]] * len(found))
        self.assertEqual({each["why"] for each in listed_there if "why" in each}, {"QEMU has died"})

    def test_chosen_series_can_be_done_first(self):
        self.finish("whole.db")
        for series, done in (("^two$", {"one": 0, "two": 40}), ("", None)):
            go = f"conduct.run(description.read(sys.argv[1]), sys.argv[2], (1, 1), 2, only={series!r})\n"
            code = FAKE.format(lib=str(TOP / "scripts" / "lib")) + go
            subprocess.run([sys.executable, "-B", "-c", code, self.description, self.scratch / "it.db"], check=True,
                           stderr=subprocess.DEVNULL)
            if done:
                self.assertEqual({name: len(results) for name, results in self.found("it.db").items()}, done)
        self.assertEqual(self.found("it.db"), self.found("whole.db"))

    def test_a_fault_cannot_have_two_results(self):
        self.finish("whole.db")
        before = self.found("whole.db")
        with store.Store(self.scratch / "whole.db") as results, self.assertRaisesRegex(CampaignError, "another process"):
            results.record([(0, outcome.SDC, {})])
        self.assertEqual(self.found("whole.db"), before)

    def test_shards_put_together_are_the_whole(self):
        self.finish("whole.db")
        parts = [f"part-{index}.db" for index in (1, 2, 3)]
        for index, part in enumerate(parts, 1):
            self.finish(part, (index, 3))
        self.assertLess(max(len(self.found(part)["one"]) for part in parts), len(self.found("whole.db")["one"]) // 2)
        store.merge(self.scratch / "all.db", [self.scratch / part for part in parts])
        self.assertEqual(self.found("all.db"), self.found("whole.db"))

    def test_results_of_another_campaign_are_refused(self):
        self.finish("first.db")
        self.description.write_text(DESCRIPTION.replace("seed = 7", "seed = 8"))
        self.assertNotEqual(self.started("first.db").wait(), 0)
        self.finish("second.db")
        with self.assertRaisesRegex(CampaignError, "another campaign"):
            store.merge(self.scratch / "all.db", [self.scratch / "first.db", self.scratch / "second.db"])
        self.assertFalse((self.scratch / "all.db").exists())

    def test_two_results_of_one_fault_that_differ_are_refused(self):
        self.finish("first.db")
        self.finish("second.db")
        with store.Store(self.scratch / "second.db") as results, results._base:
            results._base.execute("UPDATE result SET outcome = 'sdc', details = '{}' WHERE number = 3")
        with self.assertRaisesRegex(CampaignError, "fault 3 has another result"):
            store.merge(self.scratch / "all.db", [self.scratch / "first.db", self.scratch / "second.db"])

    def test_a_report_counts_what_is_there_and_says_how_to_repeat_each_failure(self):
        self.finish("whole.db")
        with store.Store(self.scratch / "whole.db") as results:
            found = report.summary(results)
        results = self.found("whole.db")
        for series in found["series"]:
            classes = [each for _, _, each, _ in results[series["name"]]]
            known = len(classes) - classes.count(outcome.INJECTOR_FAILED)
            self.assertLess(known, len(classes))
            self.assertEqual(series["failing"]["rate"], sum(each in analysis.FAILURES for each in classes) / known)
            for name, figures in series["classes"].items():
                self.assertEqual(figures["count"], classes.count(name))
                if name == outcome.INJECTOR_FAILED:  # nothing is known of these
                    self.assertEqual({figures[column] for column in report.COLUMNS[1:]}, {None})
                    continue
                self.assertEqual(figures["rate"], classes.count(name) / known)
                self.assertEqual(figures["absolute"], round(64000 * classes.count(name) / known))
                self.assertLessEqual(figures["low"], figures["rate"])
                self.assertLessEqual(figures["rate"], figures["high"])
            self.assertEqual(sum(map(sum, (counts.values() for counts in series["by_ring"].values()))), len(classes))
            together = sum(fault["at"] % 7 == 0 for _, fault, *_ in results[series["name"]])
            self.assertEqual(series["together"], {outcome.HANG: together})
            self.assertIn(f"  {together} of these shared a boot that ended as hang", report.as_text(found))
            self.assertEqual(len(series["failures"]), sum(each in report.LISTED for each in classes))
            self.assertTrue(all(f"repeat {self.scratch / 'whole.db'} " in each["repeat"] for each in series["failures"]))
        self.assertEqual(json.loads(report.as_json(found)), found)
        short = json.loads(report.as_short_json(found))
        self.assertEqual({key: short[key] for key in ("groups", "sources", "restarts")},
                         {key: found[key] for key in ("groups", "sources", "restarts")})
        rows = report.as_csv(found).splitlines()
        self.assertEqual(len(rows), 1 + 2 * len(outcome.ALL))
        self.assertIn(f"{outcome.INJECTOR_FAILED},{found['series'][1]['classes'][outcome.INJECTOR_FAILED]['count']},,,,,,", rows[-1])
        self.assertIn("  sdc ", report.as_text(found))

    def test_the_page_stands_alone_and_says_how_to_repeat_each_failure(self):
        self.finish("whole.db")
        with store.Store(self.scratch / "whole.db") as results:
            found = report.summary(results)
        text = page.made(found, DESCRIPTION)
        done = sum(series["done"] for series in found["series"])
        self.assertIn(f"<b>{done:,}</b> faults in 1 programs (victim)", text)
        self.assertNotRegex(text, r'(?:src|href)="(?!#)')
        for series in found["series"]:
            self.assertIn(f"<td>{series['name']}</td>", text)
            for failure in series["failures"]:
                self.assertIn(f"<code>{failure['repeat']}</code>", text)
        self.assertIn("seed = 7", text)
        self.assertEqual(text.count("<svg"), text.count("<figure>"))

    def test_the_same_description_gives_the_same_plan(self):
        def planned(seed):
            campaign = description.parse(DESCRIPTION.replace("seed = 7", f"seed = {seed}"))
            made = {series.name: injector(outer.Outer, series.targets) for series in campaign.series}
            return plan.make(campaign, made, dict.fromkeys(made, {"first": 10, "end": 10000}))
        self.assertEqual(planned(1), planned(1))
        self.assertNotEqual(planned(1).digest(), planned(2).digest())
        # Files of results from before there was pruning have this digest.
        rows = [{key: getattr(each, key) for key in ("number", "job", "series", "fault")} for each in planned(1).faults]
        self.assertEqual(planned(1).digest(), hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest())
        jobs = [planned(1).jobs((index, 4)) for index in (1, 2, 3, 4)]
        self.assertEqual(sorted(job for part in jobs for job in part), sorted(planned(1).jobs()))


class Pruned(Campaigns):
    TEXT, SERIES = PRUNED, ("one", "two", "three")

    def test_a_fault_without_a_run_of_its_own_has_the_result_that_is_known(self):
        self.finish("whole.db")
        rows = self.found("whole.db")["three"]
        self.assertEqual(len(rows), 200)
        first = rows[0][0]
        by_number = {number: (what, details) for number, _, what, details in rows}
        run = 0
        for number, fault, what, details in rows:
            place = (number - first) % 10
            if place < 6:
                self.assertEqual((what, details), (outcome.MASKED, {"dead": "written", "ring": 0}))
            elif place > 7:
                one = number - place + 7
                self.assertEqual((what, details), (by_number[one][0], by_number[one][1] | {"same_as": one, "ring": 5}))
            else:
                run += 1
                self.assertEqual(details.get("used_by"), number - first if place == 6 else None)
                self.assertIn("ring", details)
                self.assertEqual(what, outcome.ALL[(fault["at"] * 31 + fault["bit"]) % len(outcome.ALL)])
        with store.Store(self.scratch / "whole.db") as results:
            found = report.summary(results)
            known = results.known("three")
            self.assertEqual({n - first for n, how in known.items() if how == {"dead": "written", "ring": 0}},
                             {n for n in range(200) if n % 10 < 6})
            self.assertEqual({n - first: how["same_as"] - first for n, how in known.items() if "same_as" in how},
                             {n: n // 10 * 10 + 7 for n in range(200) if n % 10 > 7})
            self.assertEqual((results.known("one"), results.fault(first)[0]), ({}, "three"))
        series = found["series"][2]
        self.assertEqual((series["run"], series["dead"], series["shared"]), (run, 120, 40))
        self.assertEqual([found["series"][0][way] for way in report.WAYS], [found["series"][0]["done"], 0, 0])
        self.assertEqual(sum(figures["count"] for figures in series["classes"].values()), 200)
        self.assertIn("  40 were run; 120 are known to do nothing, and 40 to be the same as one that was run", report.as_text(found))
        self.assertIn(",200,40,120,40,masked,", report.as_csv(found))
        self.assertIn("Of 120 it is known without a run", page.made(found, PRUNED))
        self.assertEqual(sum(group["dead"] for group in found["groups"]), 120)

    def test_shards_and_a_campaign_that_was_ended_have_the_same_results(self):
        self.finish("whole.db")
        for index in (1, 2):
            self.finish(f"part-{index}.db", (index, 2))
        store.merge(self.scratch / "all.db", [self.scratch / f"part-{index}.db" for index in (1, 2)])
        self.assertEqual(self.found("all.db"), self.found("whole.db"))
        with store.Store(self.scratch / "all.db") as merged, store.Store(self.scratch / "whole.db") as whole:
            self.assertEqual(merged.known("three"), whole.known("three"))
        before = ("import os, signal\nfrom reprise.campaign import store\nold, left = store.Store.record, 60\n"
                  "def record(self, results):\n    global left\n    left -= 1\n    old(self, results)\n"
                  "    if left < 0: os.kill(os.getpid(), signal.SIGKILL)\nstore.Store.record = record\n")
        self.assertEqual(self.started("killed.db", before=before).wait(), -signal.SIGKILL)
        self.finish("killed.db")
        self.assertEqual(self.found("killed.db"), self.found("whole.db"))

    def test_a_campaign_of_which_other_things_are_known_is_another_one(self):
        self.finish("first.db")
        before = "right = Fake.resolve\nFake.resolve = lambda *given: [{}] + right(*given)[1:]\n"
        self.assertNotEqual(self.started("first.db", before=before).wait(), 0)


class Watched(unittest.TestCase):
    """What the outer injector makes of the plugin's report on watched bytes."""

    def resolve(self, faults, text, ends=(10, 900)):
        made = injector(outer.Outer, "memory")
        console = "reprise: boot\nright\nreprise: exit status=0 process=victim mismatch=none\nreprise: shutdown mismatches=0 restarts=0\n"
        end = machine.Outcome(machine.CLEAN, 33, False, console, "", 0.0, console.encode())
        report_text = f"marker at={ends[0]}\nend at={ends[1]}\n{text}"
        with tempfile.TemporaryDirectory() as scratch:
            def boot(scratch, words):
                self.asked = words["watch"].read_text()
                return end, report_text
            made._boot_told, made._numbers = boot, iter(range(9))
            return made.resolve({**GOLDEN.__dict__, "first": 10, "end": 900}, faults, scratch)

    @staticmethod
    def line(end, number, at, interval=0):
        return f"{end} number={number} at={at} rip=0x40 ring=3 cr3=0x1000 interval={interval} by=0x50\n"

    def test_only_what_is_written_or_never_used_does_nothing(self):
        faults = [{"at": 20 + n, "address": 0x2000, "bit": 8 * n + 1} for n in range(4)]
        ends = ("kept", "written", "read", "unseen")
        machine_there = {"ring": 3, "rip": 0x40, "cr3": 0x1000}
        self.assertEqual(self.resolve(faults, "".join(self.line(end, n, 20 + n, n) for n, end in enumerate(ends))),
                         [{"dead": "kept", **machine_there}, {"dead": "written", **machine_there}, {"used_by": 0x50}, {}])
        self.assertEqual(self.asked, "20 8192\n21 8193\n22 8194\n23 8195\n")

    def test_faults_are_the_same_when_bit_and_interval_are(self):
        faults = [{"at": 20 + n, "address": 0x2000, "bit": bit} for n, bit in enumerate((3, 3, 4, 3, 3))]
        text = "".join(self.line(end, n, 20 + n, interval) for n, (end, interval) in enumerate(
            (("read", 5), ("read", 5), ("read", 5), ("read", 6), ("unseen", 5))))
        # One that has no run was struck where it was watched from, and not where the other one was.
        same = {"same_as": 0, "ring": 3, "rip": 0x40, "cr3": 0x1000}
        self.assertEqual(self.resolve(faults, text), [{"used_by": 0x50} | more for more in ({}, same, {}, {})] + [{}])

    def test_a_run_that_is_not_the_golden_one_or_watched_something_else_is_refused(self):
        faults = [{"at": 20, "address": 0x2000, "bit": 1}]
        for text, ends in ((self.line("read", 0, 20), (10, 901)), (self.line("read", 0, 21), (10, 900)), ("", (10, 900))):
            with self.subTest(text, ends=ends), self.assertRaises(CampaignError):
                self.resolve(faults, text, ends)


class Repeat(unittest.TestCase):
    def test_it_says_known_without_a_run_only_of_faults_that_had_none(self):
        for known, said in (({"dead": "kept", "ring": 0}, "known without a run: {'dead': 'kept', 'ring': 0}"),
                            ({"used_by": 80, "same_as": 7}, "known without a run: {'used_by': 80, 'same_as': 7}"),
                            ({"used_by": 80}, "read first by 0x50")):
            self.assertEqual(campaign.foreknown(known), said)


class Progress(unittest.TestCase):
    def test_the_time_left_follows_from_the_time_taken(self):
        now = [0]
        shown = conduct.Progress(100, open(os.devnull, "w", encoding="utf-8"), lambda: now[0])
        self.addCleanup(shown._stream.close)
        now[0] = 50
        shown.add([outcome.MASKED] * 24 + [outcome.SDC], 25)
        self.assertEqual(shown.line(), "25 of 100 faults, 2 min 30 s left; 1 sdc, 0 kernel-failure, 0 injector-failed")
        # Faults without a run take no time, so the time left stays as it was.
        shown.add([outcome.MASKED] * 500, 0)
        self.assertEqual(shown.line(), "25 of 100 faults, 2 min 30 s left; 1 sdc, 0 kernel-failure, 0 injector-failed")

    def test_only_faults_that_have_a_run_are_counted(self):
        found = {}

        class Shown(conduct.Progress):
            def __init__(self, total):
                stream = found["stream"] = open(os.devnull, "w", encoding="utf-8")
                super().__init__(total, stream)
                found["shown"] = self
        ways = ({}, {"used_by": 80}, {"same_as": 0}, {"dead": outer.KEPT}, {"dead": outer.KEPT})
        faults = [plan.Planned(number, int("dead" in known), "one", {}, known) for number, known in enumerate(ways)]
        played = type("Played", (), {"run": lambda self, golden, faults, scratch: [(outcome.SDC, {})] * len(faults)})()
        bench = unittest.mock.MagicMock(injectors={"one": played})
        with unittest.mock.patch.object(conduct, "bench_of") as benches, unittest.mock.patch.object(conduct, "Store") as stores, \
                unittest.mock.patch.object(conduct.plan, "make", lambda *given: plan.Plan({}, faults)):
            benches.return_value.__enter__.return_value = bench
            stores.return_value.__enter__.return_value.done_jobs.return_value = set()
            bench.golden.return_value = {}
            conduct.run(unittest.mock.MagicMock(series=[type("Series", (), {"name": "one"})]), "it.db", progress=Shown)
        self.addCleanup(found["stream"].close)
        self.assertEqual(found["shown"].line(), "2 of 2 faults, 0 s left; 3 sdc, 0 kernel-failure, 0 injector-failed")


if __name__ == "__main__":
    listed.main()
