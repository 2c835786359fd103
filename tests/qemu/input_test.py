"""What is typed at the console reaches a program's standard input; without stdin=console there is
none."""

from boot import BUSYBOX, BootTest

READ_TWO = [BUSYBOX, "sh", "-c", "read a; read b; echo \"<$b>\" \"<$a>\""]


class Input(BootTest):
    def test_lines_typed_at_the_console_reach_a_program_in_both_runs_alike(self):
        outcome = self.boot([READ_TWO], "stdin=console", typed=b"first line\nsecond\n")
        self.assert_clean(outcome)
        self.assertIn("<second> <first line>\n", outcome.program_output())
        self.assert_no_mismatch(outcome)

    def test_without_a_console_as_input_a_program_reads_its_end_at_once(self):
        outcome = self.boot([[BUSYBOX, "cat"], [BUSYBOX, "wc", "-c"], ["echo"]])
        self.assert_clean(outcome)
        self.assertEqual(sorted(outcome.program_output().split("\n")), ["", "0", "echo: 0 lines"])
