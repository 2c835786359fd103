"""An image boots, runs a program and reports how the program ended."""

from boot import BUSYBOX, BootTest


class FirstBoot(BootTest):
    def test_a_linux_program_prints_its_line_and_the_machine_ends_clean(self):
        outcome = self.boot([[BUSYBOX, "echo", "it", "runs"]], pit=True, virtio=False)
        self.assert_clean(outcome)
        self.assertEqual(outcome.program_output(), "it runs\n")
        self.assertEqual(outcome.exit_event("busybox")["status"], "0")
        self.assertEqual(outcome.events()[-1].name, "shutdown")
        self.assert_no_mismatch(outcome)

    def test_arguments_arrive_as_they_were_given(self):
        odd = ["", "a b", "tab\there", "it's", 'say "x"', r"\x41", "back\\", "$HOME", "*", "ä"]
        outcome = self.boot([[BUSYBOX, "printf", "<%s>\\n", *odd, "two\nlines"]])
        self.assert_clean(outcome)
        expected = "".join(f"<{word}>\n" for word in [*odd, "two\nlines"])
        self.assertEqual(outcome.program_output(), expected)

    def test_a_program_that_fails_hands_on_its_status(self):
        outcome = self.boot([[BUSYBOX, "sh", "-c", "exit 7"]])
        self.assertEqual(outcome.value, 0x11)
        self.assertEqual(outcome.exit_event("busybox")["status"], "7")
