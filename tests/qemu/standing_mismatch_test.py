"""The runs of one PE keep differing: restarts are bounded, the diagnosis is whole, and `onfail=`
says what follows."""

from boot import BUSYBOX, BootTest, native

FLIP = "inject=pages:20:1:rbx:5"  # where touch_pages() finds its pages: 32 bytes further on


class StandingMismatch(BootTest):
    def assert_stopped(self, outcome, process="pages"):
        ended = outcome.exit_event(process)
        self.assertEqual((ended["status"], ended["mismatch"]), ("135", "standing"))
        self.assertEqual(outcome.events("panic"), [])

    def test_the_diagnosis_names_the_pe_the_place_and_what_differed(self):
        outcome = self.boot([["pages"]], f"pe.restarts=0 {FLIP}")
        self.assertEqual(outcome.value, 0x12)
        self.assert_stopped(outcome)
        mismatch, = outcome.events("mismatch")
        self.assertEqual((mismatch["process"], mismatch["pe"], mismatch["verdict"]),
                         ("pages", "20", "divergence"))
        self.assertEqual(mismatch["words"], "20")  # in each of ten pages, one missing and one too many

        runs = outcome.events("mismatch-run")
        self.assertEqual([(run["run"], run["end"]) for run in runs],
                         [("1", "system-call"), ("2", "system-call")])
        program = native("pages").read_bytes()
        for run in runs:
            self.assertEqual(run["rip"], mismatch["start_rip"])  # each PE is one round
            self.assertIn(bytes.fromhex(run["code"]), program)

        registers = {e["register"]: (e.number("first"), e.number("second"))
                     for e in outcome.events("mismatch-register")}
        self.assertEqual(len(registers), mismatch.number("registers"))
        first, second = registers["rbx"]
        self.assertEqual(first ^ second, 1 << 5)

        words = outcome.events("mismatch-word")
        self.assertEqual(len(words), 8)  # the first eight are shown
        places = {word.number("address") % 4096 for word in words}
        self.assertEqual(len(places), 2, "in each page the same two words")
        self.assertEqual(max(places) - min(places), 32)
        self.assertEqual(len({word.number("address") // 4096 for word in words}), 4)
        for word in words:
            self.assertEqual([word["first"], word["second"]].count("0x0"), 1, word)

    def test_restarts_are_bounded_by_pe_restarts(self):
        for bound in (0, 1, 5):
            outcome = self.boot([["twice"]], f"pe.restarts={bound}")
            self.assertEqual(outcome.value, 0x12)
            self.assert_stopped(outcome, "twice")
            verdicts, = outcome.events("verdicts")
            self.assertEqual(verdicts.number("restarts"), bound)
            self.assertEqual(verdicts.number("first_runs") - verdicts.number("pes"), bound + 1)
            self.assertEqual(verdicts.number("mismatches"), bound + 1)

    def test_onfail_stop_ends_the_program_and_lets_the_others_go_on(self):
        outcome = self.boot([["twice"], ["pages"]], "onfail=stop")
        self.assertEqual(outcome.value, 0x12)
        self.assert_stopped(outcome, "twice")
        self.assertEqual(outcome.exit_event("pages")["status"], "0")
        self.assertIn("pages: pages=10 elements=100 sum=500500", outcome.program_output())

    def test_onfail_halt_ends_everything_with_the_report(self):
        outcome = self.boot([["twice"], ["spin"], ["pages"]], "onfail=halt")
        self.assertEqual(outcome.value, 0x12)
        self.assert_stopped(outcome, "twice")
        for others in ("spin", "pages"):
            self.assertEqual(outcome.exit_event(others)["stopped"], "yes")
        self.assertEqual(outcome.program_output(), "")
        self.assertEqual(outcome.events()[-1].name, "shutdown")

    def test_behind_the_last_line_nobody_runs(self):
        # It prints for ever, while init waits until the console has sent its report.
        printing = [BUSYBOX, "sh", "-c", "while :; do echo again; done"]
        outcome = self.boot([["twice", "2000000"], printing], "onfail=halt pe.limit=200")
        self.assertEqual(outcome.value, 0x12)
        self.assertIn("again", outcome.program_output())
        self.assertTrue(outcome.console.splitlines()[-1].startswith("reprise: shutdown "))

    def test_onfail_reboot_resets_the_machine(self):
        # QEMU runs with -no-reboot: a reset ends it with status 0, without the exit device. Without
        # ACPI from QEMU, SeaBIOS's own tables name no reset register: the keyboard controller
        # resets.
        for extra in ([], ["-machine", "acpi=off"]):
            with self.subTest(extra=extra):
                outcome = self.boot([["twice"], ["pages"]], "onfail=reboot", extra=extra)
                self.assertEqual((outcome.value, outcome.status), (None, 0))
                self.assert_stopped(outcome, "twice")
                self.assertEqual(outcome.events()[-1].name, "shutdown")
