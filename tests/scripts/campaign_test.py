"""scripts/campaign: samples and intervals, the plan, classes, and results that survive whatever ends the campaign. No machine is
booted here; tests/qemu/campaign_test.py does that."""

import collections
import hashlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "lib"))

import campaign  # noqa: E402
import listed  # noqa: E402
from reprise import machine  # noqa: E402
from reprise.campaign import (CampaignError, InjectionError, analysis, conduct, description, inner, outcome, outer,  # noqa: E402
                              page, plan, report, statistics, store, symbols, victim)

DESCRIPTION = """
seed = 7
confidence = 0.99
margin = 0.1
[programs.victim]
command = ["/bin/true"]
[[series]]
name = "one"
program = "victim"
injector = "outer"
targets = "general"
[[series]]
name = "two"
program = "victim"
injector = "outer"
targets = "flags"
faults = 40
"""
PRUNED = DESCRIPTION + """
[[series]]
name = "three"
program = "victim"
injector = "outer"
targets = "kernel"
prune = true
faults = 200
"""
GOLDEN = outcome.Seen(value=machine.CLEAN, hang=False, output="right\n", status=0, standing=False, differences=0,
                      by_exception=0, broken=False)
ELEMENTS = [[100, 2], [1, 0], [5000, 3], [40, 1]]  # instructions and modified pages
# Plays an injector: a population, and a class that depends on nothing but the fault.
FAKE = """
import sys
sys.path.insert(0, {lib!r})
from reprise.campaign import conduct, description, outcome

class Fake:
    def __init__(self, series, victim): pass
    def golden(self, scratch): return {{"end": 1000}}
    def population(self, golden): return 64000
    def draw(self, golden, random): return {{"at": random.randrange(1000), "target": "rax", "bit": random.randrange(64)}}
    def resolve(self, golden, faults, scratch):
        # Of each ten the first six do nothing, and the last two are the same as the one before them.
        return [{{"dead": "written", "ring": 0}} if n % 10 < 6 else {{"same_as": n // 10 * 10 + 7, "ring": 5}} if n % 10 > 7 else
                {{"used_by": n}} if n % 10 == 6 else {{}}
                for n in range(len(faults))]
    def divide(self, faults): return [list(range(n, min(n + 3, len(faults)))) for n in range(0, len(faults), 3)]
    def run(self, golden, faults, scratch):
        return [(outcome.ALL[(f["at"] * 31 + f["bit"]) % len(outcome.ALL)],
                 {{"ring": f["at"] % 2 * 3}} | ({{"together": "hang"}} if f["at"] % 7 == 0 else {{}})) for f in faults]

conduct.INJECTORS = {{"outer": Fake}}
conduct.Victim = lambda *given: None
"""
GO = "conduct.run(description.read(sys.argv[1]), sys.argv[2], {shard}, 2)\n"


class Scratch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reprise-campaign-test-")
        self.addCleanup(folder.cleanup)
        self.scratch = Path(folder.name)


class Statistics(unittest.TestCase):
    def test_a_sample_is_as_large_as_confidence_and_margin_ask_for(self):
        # Leveugle et al. give these for large populations; a small one needs fewer.
        self.assertEqual(statistics.sample_size(10**12, 0.99, 0.01), 16588)
        self.assertEqual(statistics.sample_size(10**12, 0.95, 0.05), 385)
        self.assertEqual(statistics.sample_size(1000, 0.95, 0.05), 278)
        self.assertEqual(statistics.sample_size(10, 0.99, 0.01), 10)

    def test_an_interval_ends_where_its_tails_have_their_probability(self):
        def at_least(hits, sample, rate):
            return math.fsum(math.comb(sample, n) * rate**n * (1 - rate)**(sample - n) for n in range(hits, sample + 1))
        for sample in (1, 2, 10, 150):
            for hits in range(0, sample + 1, max(1, sample // 10)):
                low, high = statistics.clopper_pearson(hits, sample, 0.95)
                self.assertEqual(low == 0, hits == 0)
                self.assertEqual(high == 1, hits == sample)
                if hits:
                    self.assertAlmostEqual(at_least(hits, sample, low), 0.025, 9)
                if hits < sample:
                    self.assertAlmostEqual(1 - at_least(hits + 1, sample, high), 0.025, 9)

    def test_an_interval_of_a_large_sample_is_found(self):
        low, high = statistics.clopper_pearson(0, 17000, 0.99)
        self.assertEqual(low, 0)
        self.assertAlmostEqual(high, 1 - 0.005**(1 / 17000), 12)
        self.assertEqual(statistics.clopper_pearson(0, 0, 0.99), (0, 1))


class Descriptions(unittest.TestCase):
    def test_a_description_that_is_not_right_is_refused(self):
        for old, new, why in (
                ('injector = "outer"', 'injector = "both"', "injector is one of"),
                ('program = "victim"', 'program = "nobody"', "no program"),
                ('name = "two"', 'name = "one"', "different names"),
                ("faults = 40", "fault = 40", "unknown key"),
                ("faults = 40", 'model = "triple"', "model is one of"),
                ('targets = "flags"\nfaults = 40', 'targets = "flags"\nmodel = "byte"', "bits that do not exist"),
                ("seed = 7", "sead = 7", "unknown key"),
                ("seed = 7", "seed = ", "not TOML"),
                ('targets = "flags"\nfaults = 40', 'hardened = false', "missing"),
                ('targets = "flags"', 'targets = "flags"\nprune = true', "prune suits single bits of memory and kernel"),
                ('targets = "flags"', 'targets = "memory"\nmodel = "stuck"\nprune = true', "prune suits single bits"),
                ('injector = "outer"', 'injector = "inner"\nhardened = false', "programs that run twice")):
            with self.subTest(new), self.assertRaisesRegex(CampaignError, why):
                description.parse(DESCRIPTION.replace(old, new))


class Classes(unittest.TestCase):
    def test_a_run_is_classed_by_what_differs_from_the_golden_one(self):
        for changes, expected in (
                ({}, outcome.MASKED),
                ({"differences": 2}, outcome.RECOVERED),
                ({"differences": 2, "by_exception": 1}, outcome.EXCEPTION_RECOVERED),
                ({"status": 135, "standing": True, "value": machine.MISMATCH_STANDING, "output": "ri"}, outcome.STOPPED),
                ({"value": machine.MISMATCH_STANDING, "differences": 4}, outcome.STOPPED),
                ({"status": 139, "value": machine.PROGRAM_FAILED, "output": ""}, outcome.CRASH),
                ({"hang": True, "value": None}, outcome.HANG),
                ({"output": "wrong\n"}, outcome.SDC),
                ({"output": "right\n", "differences": 1, "by_exception": 1, "status": 0}, outcome.EXCEPTION_RECOVERED),
                ({"output": "wrong\n", "differences": 3}, outcome.SDC),
                ({"status": 135, "standing": True, "value": machine.MISMATCH_STANDING, "output": "wr"}, outcome.SDC),
                ({"value": machine.PANIC}, outcome.KERNEL_FAILURE),
                ({"value": None}, outcome.KERNEL_FAILURE),
                ({"broken": True}, outcome.KERNEL_FAILURE),
                ({"status": None}, outcome.KERNEL_FAILURE),
                ({"differences": None}, outcome.KERNEL_FAILURE)):
            with self.subTest(expected, **changes):
                self.assertEqual(outcome.classify(outcome.Seen(**{**GOLDEN.__dict__, **changes}), GOLDEN), expected)

    def test_a_line_of_the_log_within_a_line_of_the_program_is_no_difference(self):
        for output, golden, same in (
                ("a\n|b\n|", "ab\n", True), ("a\n|b\n|", "a\nb\n|", True), ("a\n|b\n|", "ab|", True), ("a\n|b\n", "ab", False),
                ("a\n|\nb\n|", "a\nb\n", True), ("a\nb\n|", "ab\n|", False), ("ab\n|", "a\nb\n|", False),
                ("a\n|c\n|", "ab\n", False), ("a\n|", "ab\n", False)):
            with self.subTest(output=output, golden=golden):
                changed = [text.replace("|", outcome.LOG) for text in (output, golden)]
                seen, before = (outcome.Seen(**{**GOLDEN.__dict__, "output": text}) for text in changed)
                self.assertEqual(outcome.classify(seen, before), outcome.MASKED if same else outcome.SDC)
        stopped = {**GOLDEN.__dict__, "standing": True, "value": machine.MISMATCH_STANDING}
        for output, expected in ((f"ri\n{outcome.LOG}", outcome.STOPPED), (f"rx\n{outcome.LOG}", outcome.SDC)):
            self.assertEqual(outcome.classify(outcome.Seen(**{**stopped, "output": output}), GOLDEN), expected)

    def test_bytes_that_are_no_text_differ(self):
        def output(data):
            raw = b"firmware[reprise] here\r\n" + data + b"\r\nreprise: exit process=victim\r\n"
            return victim.output_of(machine.Outcome(machine.CLEAN, 33, False, "", "", 0.0, raw))
        self.assertEqual(output(b"a\xff\x80\x85b"), f"a\xff\x80\x85b\n{outcome.LOG}")
        self.assertNotEqual(output(b"a\xff"), output(b"a\xfe"))
        self.assertNotEqual(output(b"a\n"), output(b"a"))

    def test_the_plugins_report_is_read(self):
        found = outer.read_report("marker at=11\nfault at=70 rip=0x40 ring=3 cr3=0x1000 before=0x0 after=0x8\nlimit at=900\n")
        self.assertEqual((found["fault"]["at"], found["fault"]["rip"], found["limit"]["at"]), (70, 0x40, 900))
        self.assertEqual(outer.read_report("end unmarked\n"), {"end": {}})


def injector(kind, targets, **changes):
    """One that has no victim: it can draw faults and not make them."""
    made = object.__new__(kind)
    series = description.Series("name", "victim", "outer", targets, **changes)
    made._series, made._victim = series, type("Victim", (), {"memory": 2, "process": "victim"})
    made._words = outer.words_of(targets, 2) if kind is outer.Outer else []
    return made


class Draws(Scratch):
    def test_faults_from_outside_cover_each_bit_and_instruction_alike(self):
        source, golden = random.Random(1), {"first": 10, "end": 30}
        for targets, bits in (("general", 17 * 64), ("flags", 17), ("vector", 16 * 256), ("control", 4 * 64 + 28)):
            made = injector(outer.Outer, targets)
            self.assertEqual(made.population(golden), 20 * bits)
            drawn = [made.draw(golden, source) for _ in range(bits * 20)]
            self.assertEqual({fault["at"] for fault in drawn}, set(range(10, 30)))
            # So many bits are missed by chance: exp(-20) of them.
            self.assertGreaterEqual(len({(fault["target"], fault["bit"]) for fault in drawn}), bits - 2)

    def test_faults_in_memory_are_in_its_words(self):
        made, source = injector(outer.Outer, "memory", model="stuck", duration=5), random.Random(2)
        for _ in range(1000):
            fault = made.draw({"first": 10, "end": 30}, source)
            self.assertEqual((fault["target"], fault["model"], fault["for"], fault["address"] % 8), ("memory", "stuck", 5, 0))
            self.assertTrue(1 << 20 <= fault["address"] < 2 << 20 and 0 <= fault["bit"] < 64)

    def test_faults_in_the_kernel_are_in_the_words_of_its_segments(self):
        file = self.scratch / "kernel.elf"
        segments = [(0x1000, 0x200000, 16, 24), (0x2000, 0x300000, 0, 16)]  # offset, physical address, bytes in file and memory
        headers = b"".join(victim.PROGRAM_HEADER.pack(victim.LOAD, 5, offset, physical | 1 << 40, physical, size, memory, 4096)
                           for offset, physical, size, memory in segments)
        ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
        content = victim.ELF_HEADER.pack(ident, 2, 62, 1, 1 << 40 | 0x200004, 64, 0, 0, 64, 56, 2, 64, 0, 0) + headers
        file.write_bytes(content.ljust(0x1000, b"\0") + bytes(range(16)))
        # A program's marker is its code from the entry on, as far as the file has it.
        self.assertEqual(victim.entry_of(file), (1 << 40 | 0x200004, bytes(range(4, 16))))
        with unittest.mock.patch("reprise.tree.kernel", lambda: file):
            made = injector(outer.Outer, "kernel")
        drawn = [made.draw({"first": 10, "end": 30}, source) for source in [random.Random(6)] for _ in range(500)]
        self.assertEqual({fault["address"] for fault in drawn}, {0x200000, 0x200008, 0x200010, 0x300000, 0x300008})
        self.assertEqual(made.population({"first": 10, "end": 30}), 20 * 5 * 64)

    def test_faults_in_page_tables_name_a_word_among_as_many_as_there_will_be(self):
        made, golden = injector(outer.Outer, "page-tables"), {"first": 10, "end": 30, "table_words": 256 + 512}
        self.assertEqual(made.population(golden), 20 * 768 * 64)
        drawn = [made.draw(golden, source) for source in [random.Random(8)] for _ in range(20_000)]
        self.assertEqual({fault["target"] for fault in drawn}, {"page-tables"})
        self.assertEqual({fault["at"] for fault in drawn}, set(range(10, 30)))
        self.assertEqual({fault["bit"] for fault in drawn}, set(range(64)))
        # Whatever the number of words is in the end, each is as likely as the others.
        for words in (768, 1000):
            self.assertEqual({fault["draw"] % words for fault in drawn}, set(range(words)))

    def test_faults_from_inside_are_weighted_by_the_length_of_each_run(self):
        source, golden = random.Random(3), {"elements": ELEMENTS}
        for targets, registers in inner.GROUPS.items():
            made = injector(inner.Inner, targets)
            drawn = [made.draw(golden, source) for _ in range(4000)]
            for fault in drawn:
                length, pages = ELEMENTS[fault["pe"] - 1]
                self.assertIn(fault["run"], (1, 2))
                *before, page, word = ("." + fault["target"]).rsplit(".", 2)
                if before in ([".page"], [".snapshot.page"]):
                    self.assertEqual(before == [".page"], targets == "pages")
                    self.assertTrue(int(page) < pages and int(word) < 512)
                else:
                    self.assertIn(fault["bit"], registers[fault["target"]])
                if targets in ("pages", "snapshot"):
                    self.assertEqual(fault["moment"], "end")
                else:
                    self.assertTrue(1 <= int(fault["moment"].removeprefix("at=")) <= length)
            bits = sum(map(len, registers.values()))
            weights = [length * (bits + (pages * 512 * 64 if targets in ("pages", "snapshot") else 0)) for length, pages in ELEMENTS]
            for pe, weight in enumerate(weights, 1):
                share = sum(fault["pe"] == pe for fault in drawn) / len(drawn)
                self.assertAlmostEqual(share, weight / sum(weights), delta=0.02)

    def test_a_snapshot_is_its_registers_and_its_pages(self):
        made, golden = injector(inner.Inner, "snapshot"), {"elements": [[10, 1]]}
        self.assertEqual(made.population(golden), 2 * 10 * (17 * 64 + 11 + 64 * 64 + 512 * 64))
        drawn = {made.draw(golden, source)["target"] for source in [random.Random(9)] for _ in range(60_000)}
        names = {f"snapshot.{name}" for name in inner.GROUPS["registers"]} | {f"snapshot.page.0.{word}" for word in range(512)}
        self.assertEqual(drawn, names)

    def test_faults_in_the_snapshot_have_a_boot_each(self):
        self.assertEqual(injector(inner.Inner, "snapshot").divide([{"pe": 1}, {"pe": 2}]), [[0], [1]])

    def test_two_faults_in_one_processing_element_never_share_a_boot(self):
        made, source = injector(inner.Inner, "registers"), random.Random(4)
        faults = [{"pe": source.randrange(1, 90)} for _ in range(500)]
        jobs = made.divide(faults)
        self.assertEqual(sorted(number for job in jobs for number in job), list(range(500)))
        for job in jobs:
            self.assertLessEqual(len(job), inner.MOST)
            self.assertEqual(len({faults[number]["pe"] for number in job}), len(job))


class Boots:
    """Plays the boots of the inner injector: what a set of faults leads to."""

    def __init__(self, outcomes):
        self.outcomes, self.boots = outcomes, []

    def __call__(self, faults):
        self.boots.append(faults)
        fates = [self.outcomes[fault["pe"]] for fault in faults]
        wrong = "sdc" in fates or fates.count("accomplice") > 1
        fates = ["died-out" if fate == "accomplice" else fate for fate in fates]
        lines = ["reprise: boot"]
        lines += [f"reprise: flip process=victim pe={fault['pe']} run=1 moment=at offset=1 target=rax bit=3 outcome={fate}"
                 for fault, fate in zip(faults, fates, strict=True) if fate not in ("never", "sdc")]
        lines += ["wrong" if wrong else "right", "reprise: exit process=victim status=0 mismatch=none",
                  f"reprise: shutdown mismatches={fates.count('caught')} restarts=0"]
        console = "\n".join(lines) + "\n"
        return machine.Outcome(machine.CLEAN, 33, False, console, console, 0.0, console.encode())


class Inside(unittest.TestCase):
    def run_with(self, outcomes):
        made = injector(inner.Inner, "registers")
        made._boot = Boots(outcomes)
        faults = [{"pe": pe, "run": 1, "moment": "at=1", "target": "rax", "bit": 3} for pe in outcomes]
        self.results = made.run(GOLDEN.__dict__, faults, None)
        return [found for found, _ in self.results], len(made._boot.boots)

    def test_each_fault_of_a_good_boot_has_the_fate_that_the_kernel_tells(self):
        found, boots = self.run_with({1: "caught", 2: "died-out", 3: "no-target"})
        self.assertEqual((found, boots), ([outcome.RECOVERED, outcome.MASKED, outcome.NOT_ACTIVATED], 1))

    def test_a_boot_that_went_wrong_is_divided_until_the_fault_is_alone(self):
        found, boots = self.run_with({1: "caught", 2: "sdc", 3: "never"})
        self.assertEqual((found, boots), ([outcome.RECOVERED, outcome.SDC, outcome.NOT_ACTIVATED], 5))

    def test_a_bad_boot_whose_parts_are_good_is_not_forgotten(self):
        found, boots = self.run_with({1: "caught", 2: "accomplice", 3: "accomplice", 4: "died-out"})
        self.assertEqual((found, boots), ([outcome.RECOVERED, outcome.MASKED, outcome.MASKED, outcome.MASKED], 3))
        self.assertEqual({details.get("together") for _, details in self.results}, {outcome.SDC})
        self.run_with({1: "caught", 2: "sdc", 3: "died-out", 4: "died-out"})
        self.assertEqual({details.get("together") for _, details in self.results}, {None})


class Outside(unittest.TestCase):
    FAULT = {"at": 70, "target": "rax", "bit": 3}
    STRIKE = {"at": 70, "rip": 0x40, "ring": 3, "cr3": 0x1000}

    def run_with(self, report, console="right\nreprise: exit status=0 process=victim mismatch=none\nreprise: shutdown mismatches=0 "
                                       "restarts=0\n"):
        made = injector(outer.Outer, "general")
        end = machine.Outcome(machine.CLEAN, 33, False, "reprise: boot\n" + console, "", 0.0, b"reprise: boot\n" + console.encode())
        made._boot = lambda scratch, words: (end, report)
        return made.run({**GOLDEN.__dict__, "end": 900}, [self.FAULT], None)[0][0]

    def test_a_fault_that_was_not_made_as_planned_is_the_injectors_failure(self):
        self.assertEqual(self.run_with({"fault": self.STRIKE, "end": {"at": 900}}), outcome.MASKED)
        self.assertEqual(self.run_with({"end": {"at": 60}}), outcome.NOT_ACTIVATED)
        self.assertEqual(self.run_with({"fault": self.STRIKE, "limit": {"at": 900}}), outcome.HANG)
        for report, console in (({"fault": {**self.STRIKE, "at": 71}, "end": {"at": 900}}, ""), ({"fault": self.STRIKE}, ""),
                                ({"end": {"at": 900}}, "wrong\n")):
            with self.subTest(report), self.assertRaises(InjectionError):
                self.run_with(report, console)

    def test_what_a_page_table_had_is_kept(self):
        made = injector(outer.Outer, "page-tables")
        strike = {**self.STRIKE, "before": 0x1007, "after": 0x1006, "address": 0x5008, "words": 768}
        made._boot = lambda scratch, words: (machine.Outcome(machine.CLEAN, 33, False, "", "", 0.0, b""),
                                             {"fault": strike, "end": {"at": 900}})
        (_, details), = made.run({**GOLDEN.__dict__, "end": 900}, [{"at": 70, "target": "page-tables", "draw": 1, "bit": 0}], None)
        self.assertEqual(details["entry"], 0x1007)


class Started:
    """Plays a victim that can go on from a kept state, from which its console may differ."""

    def __init__(self, same):
        self.same, self.started, self.goes_on, self.process = same, False, False, "victim"

    def start(self, extra, is_early):
        self.started = self.goes_on = True

    def forget_start(self):
        self.goes_on = False


class Names(Scratch):
    def test_two_series_never_use_the_same_file(self):
        program = description.Program(["/bin/true"])
        with unittest.mock.patch("reprise.campaign.outer.entry_of", lambda path: (0, b"")):
            made = [outer.Outer(description.Series(name, "victim", "outer", "general"), victim.Victim(program, True, self.scratch))
                    for name in ("one", "two")]
        self.assertEqual(len({next(each._numbers) for each in made for _ in range(3)}), 6)


class Golden(Scratch):
    def test_runs_go_on_from_a_kept_state_only_when_the_golden_run_is_the_same_from_there(self):
        for same in (True, False):
            made = injector(outer.Outer, "general")
            made._victim, made._numbers, made._plugin = Started(same), iter(range(9)), lambda report, words: []

            def boot(scratch, words, victim=made._victim):
                console = f"reprise: exit process=victim status=0 mismatch=none\n{'' if same or not victim.started else 'more'}"
                return (machine.Outcome(machine.CLEAN, 33, False, console, console, 0.0, console.encode()),
                        {"marker": {"at": 1}, "end": {"at": 9}})
            made._boot = boot
            self.assertEqual(made.golden(self.scratch)["end"], 9)
            self.assertEqual(made._victim.goes_on, same)

    def test_the_words_of_the_page_tables_are_counted_in_the_middle_of_the_run(self):
        made, asked = injector(outer.Outer, "page-tables"), []

        def boot(scratch, words):
            asked.append(words)
            return None, {"fault": {"words": 5376}}
        made._boot = boot
        self.assertEqual(made._table_words(self.scratch, 20), 5376)
        self.assertEqual((asked[0]["at"], asked[0]["limit"], asked[0]["target"]), (20, 21, "page-tables"))


class Campaigns(Scratch):
    """Whole campaigns with an injector that is played."""

    TEXT, SERIES = DESCRIPTION, ("one", "two")

    def setUp(self):
        super().setUp()
        self.description = self.scratch / "it.toml"
        self.description.write_text(self.TEXT)

    def started(self, name, shard=(1, 1), before=""):
        code = FAKE.format(lib=str(TOP / "scripts" / "lib")) + before + GO.format(shard=shard)
        return subprocess.Popen([sys.executable, "-B", "-c", code, self.description, self.scratch / name],
                                stderr=subprocess.DEVNULL)

    def finish(self, name, shard=(1, 1)):
        self.assertEqual(self.started(name, shard).wait(), 0)

    def found(self, name):
        with store.Store(self.scratch / name, must_exist=True) as results:
            return {series: results.results(series) for series in self.SERIES}


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


class Together(Scratch):
    """What series say together, from results that are written here."""

    CAMPAIGN = """
confidence = 0.99
[programs.victim]
command = ["victim"]
[[series]]
name = "in"
program = "victim"
injector = "inner"
targets = "registers"
[[series]]
name = "out"
program = "victim"
injector = "outer"
targets = "registers"
[[series]]
name = "once"
program = "victim"
injector = "outer"
targets = "registers"
hardened = false
"""
    GOLDEN = {"elements": ELEMENTS}

    def setUp(self):
        super().setUp()
        self.campaign = description.parse(self.CAMPAIGN)

    def faults(self, *told):
        """Rows of results, of (count, fault, class, details)."""
        rows = [row for count, *row in told for _ in range(count)]
        return [(number, *row) for number, row in enumerate(rows)]

    def results(self, outer_detected):
        rax, flag, trap = ({"target": target, "bit": bit, "pe": 3, "run": 1, "moment": "at=4000"}
                           for target, bit in (("rax", 3), ("rflags", 0), ("rflags", 9)))
        return {"in": self.faults((900, rax, outcome.RECOVERED, {"restarts": 1}), (100, flag, outcome.MASKED, {}),
                                  (50, rax, outcome.NOT_ACTIVATED, {})),
                "out": self.faults((outer_detected, rax, outcome.EXCEPTION_RECOVERED, {"ring": 3, "took": 70, "restarts": 2}),
                                   (100 - outer_detected, rax, outcome.MASKED, {"ring": 3}),
                                   (30, rax, outcome.KERNEL_FAILURE, {"ring": 0, "said": True}), (40, trap, outcome.SDC, {"ring": 3})),
                "once": self.faults((20, rax, outcome.SDC, {"ring": 3}), (80, rax, outcome.MASKED, {"ring": 0}))}

    def test_faults_that_the_promise_covers_are_apart_from_the_others(self):
        found = analysis.groups(self.campaign, self.results(90))
        self.assertEqual([(group.injector, group.hardened, group.ring, group.promised, group.struck) for group in found],
                         [("inner", True, "3", True, 1000), ("outer", True, "3", True, 140),
                          ("outer", False, analysis.ANYWHERE, False, 100), ("outer", True, "0", False, 30)])
        self.assertEqual([group.said for group in found], [0, 0, 0, 30])
        told = found[1].as_json(0.99)
        self.assertEqual((told["sdc"]["count"], told["failures"]["count"], told["failures"]["of"]), (40, 40, 140))

    def test_control_registers_are_not_promised(self):
        for targets, promised in (("vector", True), ("pages", True), ("snapshot", True), ("control", False),
                                  ("kernel", False), ("page-tables", False)):
            self.assertEqual(analysis.Group(True, "outer", targets, "single", "3").promised, promised)

    def test_injectors_agree_where_their_intervals_overlap(self):
        for detected, agree in ((88, True), (70, False), (99, False)):
            row, = analysis.agreement(self.campaign, self.results(detected), 0.99)
            # The trap flag is beyond the inner injector, and ring 0 too.
            self.assertEqual((row["inner"]["count"], row["inner"]["of"], row["outer"]["count"], row["outer"]["of"]),
                             (900, 1000, detected, 100))
            self.assertEqual(row["agree"], agree)

    def test_the_page_says_nothing_of_a_promise_that_no_fault_has_tried(self):
        tried = analysis.Group(True, "outer", "registers", "single", "3", counts=collections.Counter({outcome.MASKED: 5})).as_json
        self.assertEqual(page._promise([tried(0.99) | {"promised": False}], 0.99), "none were injected.")
        self.assertIn("<b>5</b> faults struck them", page._promise([tried(0.99)], 0.99))

    def test_a_latency_ends_with_the_second_run(self):
        until, more = analysis.latencies(self.campaign, self.results(90), {"in": self.GOLDEN})
        # Element 3 has 5000 instructions: 1000 are left of the first run, and then the second comes.
        self.assertEqual((set(until), set(more)), ({6000}, {70}))
        self.assertEqual(analysis._most({"run": 2, "moment": "at=4000"}, ELEMENTS[2]), 1000)
        self.assertEqual([analysis._most({"run": run, "moment": "end"}, ELEMENTS[2]) for run in (1, 2)], [5000, 0])
        self.assertEqual(analysis.percentiles(range(1, 202))[50], 101)

    def test_absolute_failures_are_summed_over_programs_that_ran_once_and_twice(self):
        def series(program, hardened, sdc, all_of_them):
            figures = [{"count": n, "absolute": 10 * n, "absolute_low": 9 * n, "absolute_high": 12 * n} for n in (sdc, all_of_them)]
            return {"injector": "outer", "targets": "memory", "model": "single", "program": program, "hardened": hardened, "done": 9,
                    "classes": {outcome.SDC: figures[0]}, "failing": figures[1]}
        row, = analysis.absolutes([series("a", False, 5, 8), series("a", True, 0, 1), series("b", False, 7, 7),
                                   series("b", True, 1, 2), series("c", False, 100, 100)])
        self.assertEqual((row["programs"], row["once_sdc"]["absolute"], row["twice_failures"]["absolute_high"]), (2, 120, 36))

    def test_a_struck_instruction_has_a_name(self):
        source, program = self.scratch / "it.c", self.scratch / "it"
        source.write_text("int wanted(int a) { return a * 77; }\nint main(void) { return wanted(1); }\n")
        subprocess.run(["cc", "-O1", "-fcf-protection=none", "-fno-inline", "-no-pie", source, "-o", program], check=True)
        rows = subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout.splitlines()
        address, = (int(row.split()[0], 16) for row in rows if row.endswith(" wanted"))
        function, instruction = symbols.place(3, address, [str(program)])
        self.assertEqual(function, "wanted")
        self.assertIn("0x4d", instruction)
        for name, expected in (("void a::b<c::D<e>>(f<g>, int*) const", "a::b"), ("(anonymous namespace)::h(int)", "h"),
                               ("k(int) [clone .isra.0]", "k"), ("_start", "_start"), ("x::y(void (*)(int))", "x::y")):
            self.assertEqual(symbols.plain(name), expected)
        self.assertEqual(symbols.place(3, address, ["no-such-program"])[0], f"no-such-program: {address:#x}")

    def test_memory_outside_the_kernels_file_is_told_apart_by_who_reads_it(self):
        place = {"ring": 3, "rip": 0x401000}
        fault = {"target": "memory", "address": 0x200000, "bit": 3}
        code = self.scratch / "kernel.elf"
        assembly = self.scratch / "kernel.s"
        assembly.write_text(".globl copier\n.globl other\ncopier: nop\nother: nop\n")
        subprocess.run(["as", assembly, "-o", self.scratch / "kernel.o"], check=True)
        subprocess.run(["ld", "-e", "copier", "-Ttext=0xffffffff80100000", self.scratch / "kernel.o", "-o", code], check=True)
        with unittest.mock.patch("reprise.tree.kernel", lambda: code), unittest.mock.patch(
                "reprise.campaign.symbols.kernel_word", lambda address: None):
            found = [analysis.origin(description.Program(["none"]), fault, {**place, **more})["object"]
                     for more in ({"used_by": 0xffffffff80100000}, {"used_by": 0x401000}, {})]
        self.assertEqual(found, ["read by copier", "read by ring 3", "not the kernel's file"])

    def test_failures_are_summed_by_what_was_hit(self):
        def failure(what, **more):
            return {"outcome": what, "function": "f", "ring": 0, "target": "rax", **more}
        made = [{"targets": "registers", "hardened": True, "failures": [failure(outcome.SDC), failure(outcome.SDC), failure(
            outcome.CRASH, function="g"), failure(outcome.INJECTOR_FAILED)]},
                {"targets": "memory", "hardened": True, "failures": [failure(outcome.HANG, target="memory", object="table")]}]
        self.assertEqual([(row["targets"], row["ring"], row["place"], row["counts"]) for row in analysis.sources(made)],
                         [("memory", analysis.ANYWHERE, "table", {outcome.HANG: 1}), ("registers", "0", "f", {outcome.SDC: 2}),
                          ("registers", "0", "g", {outcome.CRASH: 1})])


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
        # Faults without a run take no time, and say nothing of what is left.
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
