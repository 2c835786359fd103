"""scripts/campaign: samples and intervals, the plan, classes, and what both injectors make of a boot. No machine is booted here;
tests/qemu/campaign_test.py does that."""

import math
import random
import unittest
import unittest.mock

import listed
from campaign_parts import DESCRIPTION, ELEMENTS, GOLDEN, Scratch, injector
from reprise import machine
from reprise.campaign import CampaignError, InjectionError, description, inner, outcome, outer, statistics, victim


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


if __name__ == "__main__":
    listed.main()
