"""A session at the serial line: the test types lines to a shell and compares all that stands on the
line afterwards with a recording. The shell and the drivers run hardened."""

import re
from pathlib import Path

from boot import BUSYBOX, BootTest

GOLDEN = Path(__file__).parent / "golden" / "terminal.txt"
PROMPT = b"/ # "
READ = 'read -p "mo""re? " first rest'  # what it prints must not stand in what is typed
LINES = [
    "echo $((6 * 7))",
    "for i in 1 2 3; do echo line $i; done",
    "name=world; echo \"hello $name\"",
    READ,
    "alpha beta gamma",
    "echo \"<$rest> <$first>\"",
    "n=0; while [ $n -lt 5 ]; do n=$((n + 1)); done; echo counted $n",
    "echo wrogn\x7f\x7fng",
    "case $name in w*) echo starts with w;; *) echo no;; esac",
    "exit 3",
]


def dialogue():
    """Each line is typed when the shell asks for it, by its prompt or by that of `read`."""
    waits = [PROMPT, *(b"more? " if line == READ else PROMPT for line in LINES)]
    return tuple((wait, f"{line}\r".encode()) for wait, line in zip(waits, LINES))


class Terminal(BootTest):
    def session(self, args=""):
        outcome = self.boot([[BUSYBOX, "sh"]],
                            f"stdin=console env.REPRISE_TTY=1 console=serial {args}",
                            dialogue=dialogue())
        self.assertEqual(outcome.exit_event("busybox").number("status"), 3)
        return outcome

    def assert_as_recorded(self, outcome):
        """What stood on the line, to the byte, from the first prompt to the shell's end. A line
        about a flip begins at the margin: where it cuts one of the session's, a line end is added.
        """
        shown = re.search(r"(/ # .*)reprise: exit process=busybox ", outcome.raw, re.S).group(1)
        shown, golden = shown.replace("\r\n", "\n"), GOLDEN.read_text(encoding="utf-8")
        if "reprise: flip " in shown:
            shown, golden = (re.sub(r"reprise: flip .*\n|\n", "", text) for text in (shown, golden))
        self.assertEqual(shown, golden)

    def test_a_typed_session_reads_like_the_recording(self):
        outcome = self.session()
        self.assert_no_mismatch(outcome)
        self.assert_as_recorded(outcome)

    def test_flips_in_shell_and_drivers_change_nothing_on_the_line(self):
        for seed in (1, 2, 3):
            with self.subTest(seed=seed):
                outcome = self.session(f"inject.rate=10 inject.seed={seed}")
                self.assert_as_recorded(outcome)
                told = outcome.events("flip")
                self.assertGreater(len(told), 20)
                self.assertNotIn("terminal", {event["process"] for event in told})
                # The driver's PEs that only wait depend on the host, but the text alone needs some.
                flips = outcome.events("shutdown")[0].number("flips")
                self.assertGreater(flips, len(told) + 20, "few flips hit the terminal's driver")
