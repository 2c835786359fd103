"""A program that writes at random into many pages: what that costs grows with the number of pages,
and nowhere does it jump; and no PE takes longer than pe.latency= says."""

from boot import BootTest

# pages -> total time over that of the second runs, in percent, at most (docs/performance.md)
MOST = {64: 300, 256: 500, 1024: 1000, 4096: 1500, 8192: 1500, 16384: 1500}
MEMORY = 512  # MiB


class RandomWrites(BootTest):
    def written(self, pages, arguments="", writes=200_000):
        """Events of the program's end, by name."""
        outcome = self.boot([["random_writes", str(pages), str(writes)]], arguments, memory=MEMORY)
        self.assert_clean(outcome)
        self.assert_no_mismatch(outcome)
        self.assertIn(f"random_writes: pages={pages} writes={writes}", outcome.program_output())
        return {name: outcome.events(name)[0]
                for name in ("times", "latency", "prediction", "ends", "page-costs")}

    def assert_bound_held(self, events):
        latency = events["latency"]
        self.assertLessEqual(latency.number("longest_pe_ns"), latency.number("bound_ns"))
        self.assertLessEqual(latency.number("longest_wait_ns"),
                             latency.number("bound_ns") + latency.number("bound_ns") // 16)

    def test_the_cost_of_random_writes_grows_without_a_jump(self):
        before = None
        for pages, most in MOST.items():
            events = self.written(pages)
            self.assert_bound_held(events)
            percent = events["times"].number("overhead_percent")
            self.assertLessEqual(percent, most, pages)
            if before is not None:
                self.assertGreaterEqual(percent, before, pages)
                self.assertLessEqual(percent, 2 * before, pages)
            before = percent

    def test_a_shorter_bound_is_held_too_and_the_work_gets_done(self):
        for microseconds in (500, 2000, 5000):
            events = self.written(512, f"pe.latency={microseconds}", writes=20_000)
            self.assertEqual(events["latency"].number("bound_ns"), 1000 * microseconds)
            self.assert_bound_held(events)

    def test_the_papers_setting_of_ten_pages_and_200_microseconds_is_a_fixed_one(self):
        events = self.written(64, "pe.pages=10 pe.limit=200", writes=5_000)
        self.assertEqual(events["latency"].number("limit_ns"), 200_000)
        self.assertLessEqual(events["latency"].number("longest_wait_ns"), 500_000)

    def test_a_page_that_a_pe_modifies_again_was_predicted(self):
        few, many = (self.written(64, writes=writes) for writes in (50_000, 200_000))
        hits = many["prediction"].number("hits") - few["prediction"].number("hits")
        misses = many["prediction"].number("misses") - few["prediction"].number("misses")
        self.assertGreater(hits, 50)
        self.assertLessEqual(misses, hits // 10)
