"""Both policies of keeping page copies give the same results; what they cost is counted exactly."""

from boot import BUSYBOX, BootTest
from reference import lines

COSTS = ("copies", "fault_copies", "compares", "write_faults", "remaps", "evictions", "flushed_pages")
PAGES = 10
MORE = 100  # PEs that the second process has more than the first


class Policies(BootTest):
    def costs_per_page_and_pe(self, policy, arguments=""):
        """Two processes modify the same 10 pages in each PE, one of them in 100 PEs more. The
        difference between both holds the cost of these PEs alone."""
        programs = [["pages", str(PAGES), "100"], ["pages", str(PAGES), str(100 + MORE)]]
        outcome = self.boot(programs, f"policy={policy} {arguments}")
        self.assert_clean(outcome)
        self.assert_no_mismatch(outcome)
        self.assertIn("pages: pages=10 elements=200 sum=2001000", outcome.program_output())
        few, many = outcome.events("page-costs")
        few_pages, many_pages = outcome.events("modified-pages")
        self.assertEqual(many_pages.number("p9-16") - few_pages.number("p9-16"), MORE)
        return {cost: (many.number(cost) - few.number(cost)) / (PAGES * MORE) for cost in COSTS}

    def test_rotate_needs_one_copy_one_compare_and_no_fault_per_page_and_pe(self):
        self.assertEqual(self.costs_per_page_and_pe("rotate"),
                         {"copies": 1, "fault_copies": 0, "compares": 1, "write_faults": 0,
                          "remaps": 1, "evictions": 0, "flushed_pages": 0})

    def test_classic_needs_a_fault_and_three_copies_per_page_and_pe(self):
        self.assertEqual(self.costs_per_page_and_pe("classic"),
                         {"copies": 2, "fault_copies": 1, "compares": 1, "write_faults": 1,
                          "remaps": 3, "evictions": 0, "flushed_pages": 0})

    def test_every_way_of_checking_gives_the_same_output_and_the_same_pes(self):
        programs = [["compute", "20000"], ["pages"], ["calls", "10"], ["recurse", "1000"],
                    [BUSYBOX, "sort", "lines"]]
        seen = {}
        for arguments in ("policy=rotate", "policy=classic", "check=full", "flush=all",
                          "flush=touched", "policy=classic check=full checkwords=off"):
            # Write faults cost other times, so the time limit would come at other places.
            outcome = self.boot(programs, f"{arguments} pe.limit=10000 pe.pages=64",
                                files={"lines": lines(300, seed=7)})
            self.assert_clean(outcome)
            self.assert_no_mismatch(outcome)
            pes = {event["process"]: event["pes"] for event in outcome.events("verdicts")}
            seen[arguments] = (sorted(outcome.program_output().splitlines()), pes)
        for arguments, what in seen.items():
            self.assertEqual(what, seen["policy=rotate"], arguments)

    def test_check_full_compares_also_pages_whose_dirty_bit_is_clear(self):
        compares = {}
        for check in ("dirty", "full"):
            outcome = self.boot([["calls", "20"]], f"check={check}")
            self.assert_clean(outcome)
            compares[check] = outcome.events("page-costs")[0].number("compares")
        self.assertGreater(compares["full"], compares["dirty"])

    def test_a_smaller_page_budget_ends_pes_earlier_and_changes_no_result(self):
        ends = {}
        for pages in (4, 64, 512):
            outcome = self.boot([["recurse", "2000"]], f"pe.pages={pages}")
            self.assert_clean(outcome)
            self.assert_no_mismatch(outcome)
            self.assertIn("recurse: depth=2000 sum=2050016496", outcome.program_output())
            ends[pages] = outcome.events("ends")[0].number("page-budget")
        self.assertGreater(ends[4], ends[64])
        self.assertEqual(ends[512], 0)

    def test_flush_takes_its_time_between_the_runs(self):
        spent = {}
        for flush in ("none", "touched"):
            outcome = self.boot([["pages"]], f"flush={flush}")
            spent[flush] = outcome.events("times")[0].number("flush_ns")
        self.assertGreater(spent["touched"], 10 * spent["none"])

    def test_flush_touched_takes_the_pages_that_a_pe_reads_not_those_that_its_program_has_read(self):
        """Here that is one page of code. The ten pages and the stack are modified: the second run has copies of its own."""
        costs = self.costs_per_page_and_pe("rotate", "flush=touched")
        self.assertEqual(costs["flushed_pages"] * PAGES, 1)
