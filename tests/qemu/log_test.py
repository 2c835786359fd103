"""The kernel's log on its way to the serial line: no printed text is lost, even when the driver
that sends it dies."""

from boot import BUSYBOX, BootTest

LINES = 300
PRINT = (f"i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); "
         "echo line $i of those that must arrive; done")


class LogOnItsWay(BootTest):
    def assert_all_lines(self, outcome):
        """Each line is there, whole; what the driver had taken but not sent may be there twice."""
        lines = outcome.program_output().splitlines()
        for i in range(1, LINES + 1):
            self.assertIn(f"line {i} of those that must arrive", lines)

    def boot_and_kill_the_driver(self, pe):
        outcome = self.boot([[BUSYBOX, "sh", "-c", PRINT]],
                            f"pe.restarts=0 inject=terminal:{pe}:1:rsp:5 report=short")
        self.assertEqual(outcome.exit_event("terminal")["mismatch"], "standing")
        self.assertEqual(outcome.exit_event("busybox")["status"], "0")
        self.assertEqual(outcome.events()[-1].name, "shutdown")
        return outcome

    def test_a_driver_that_dies_while_it_sends_loses_no_text(self):
        for pe in (60, 150, 250):
            with self.subTest(pe=pe):
                self.assert_all_lines(self.boot_and_kill_the_driver(pe))

    def test_more_text_than_the_log_holds_arrives_whole_and_once(self):
        outcome = self.boot([[BUSYBOX, "sh", "-c", PRINT.replace(str(LINES), "2500")]],
                            "report=short")
        self.assert_clean(outcome)
        expected = "".join(f"line {i} of those that must arrive\n" for i in range(1, 2501))
        self.assertGreater(len(expected), 65536)
        self.assertEqual(outcome.program_output(), expected)

    def test_with_the_screen_alone_programs_print_nothing_on_the_serial_line(self):
        outcome = self.boot([[BUSYBOX, "sh", "-c", PRINT]], "report=short console=screen")
        self.assert_clean(outcome)
        self.assertEqual(outcome.program_output(), "")
