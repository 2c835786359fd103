"""A restart goes back to the snapshot. A flip in the snapshot itself is found by its check word,
and no run starts from it. Without check words both runs would start from the same wrong state and
agree."""

from boot import BootTest

# A flip that makes the PE restart, and one in what the restart goes back to. R8 is the number that
# touch_pages() writes next; the last PE writes 10 * 99 + 1 to 1000 into word 99.
REGISTER = "inject=pages:50:1:r14:3:end,pages:50:1:snapshot.r8:20"
PAGE = "inject=pages:50:1:page.2.400:3,pages:50:1:snapshot.page.2.7:20"
RIGHT = "pages: pages=10 elements=100 sum=500500\n"


class Snapshots(BootTest):
    def assert_noticed(self, outcome, part):
        self.assertEqual(outcome.value, 0x12)
        mismatch, = outcome.events("mismatch")
        self.assertEqual(mismatch["verdict"], "snapshot-corrupt")
        self.assertEqual(mismatch.number("pe"), 50)
        snapshot, = outcome.events("snapshot")
        self.assertEqual(snapshot["part"], part)
        verdicts, = outcome.events("verdicts")
        self.assertEqual(verdicts["snapshot_failures"], "1")
        self.assertEqual(outcome.program_output(), "", "the program went on")
        ended = outcome.exit_event("pages")
        self.assertEqual((ended["status"], ended["mismatch"]), ("135", "standing"))
        self.assertIn("stopped", {flip["outcome"] for flip in outcome.events("flip")})

    def assert_unnoticed(self, outcome):
        """Silent data corruption: the runs agree, no mismatch stands, and the result is wrong."""
        self.assertEqual(outcome.events("mismatch"), [])
        self.assertEqual(outcome.events("shutdown")[0]["standing"], "0")
        self.assertNotEqual(outcome.program_output(), RIGHT)
        self.assertIn("pages.cpp", outcome.program_output())  # its own check at the end fails
        self.assertEqual(outcome.exit_event("pages")["status"], "1")

    def test_a_flipped_register_of_the_snapshot_stops_the_program(self):
        self.assert_noticed(self.boot([["pages"]], REGISTER), "registers")

    def test_a_flipped_page_of_the_snapshot_stops_the_program(self):
        outcome = self.boot([["pages"]], PAGE)
        self.assert_noticed(outcome, "page")
        self.assertNotEqual(outcome.events("snapshot")[0].number("page"), 0)

    def test_without_check_words_the_same_flips_corrupt_silently(self):
        for flips in (REGISTER, PAGE):
            self.assert_unnoticed(self.boot([["pages"]], f"checkwords=off {flips}"))

    def test_under_classic_a_flipped_snapshot_stops_the_program_too(self):
        self.assert_noticed(self.boot([["pages"]], f"policy=classic {PAGE}"), "page")

    def test_a_flip_in_the_snapshot_between_the_runs_is_stopped_or_undone_never_committed(self):
        # Only the second run starts from it: the runs differ, and the restart finds it.
        outcome = self.boot([["pages"]], "inject=pages:50:1:snapshot.page.2.7:20")
        self.assert_noticed(outcome, "page")

    def test_what_others_share_is_not_hit_in_the_name_of_a_snapshot(self):
        """P0 of a page's first write is the frame of zeros that all fresh pages stand on, or one of
        the program's file, which is read-only for the kernel itself."""
        # In PE 6 of `pages` two pages join and two were in the set before. A run's pages are told in
        # the order in which the set learned that they were modified: with rotating frames a write
        # fault comes before a dirty bit that is found at the end.
        joined = {"rotate": 1, "classic": 3}
        for policy, k in joined.items():
            for flip in ("pages:1:2:snapshot.page.0.0:9", f"pages:6:2:snapshot.page.{k}.0:9",
                         "terminal:14:1:snapshot.page.0.0:9", "terminal:14:2:snapshot.page.0.0:9"):
                with self.subTest(flip=flip, policy=policy):
                    outcome = self.boot([["pages"], ["calls", "20"]],
                                        f"report=short policy={policy} inject={flip}")
                    self.assert_clean(outcome)
                    self.assertIn(RIGHT, outcome.program_output())
                    told = [event["outcome"] for event in outcome.events("flip")]
                    self.assertIn("no-target", told)
