"""A session at the shell of Debian's kernel as a guest: typed line by line at the serial line, while bits flip in the guest. All
that stands on the line afterwards is what stands there when the guest runs once and nothing flips."""

import re

import linux_guest
from boot import LONG
from guests import GuestTest

QUIET = "quiet loglevel=1 printk.time=0"
PROMPT = b"/ # "
ENTER, END_OF_INPUT, INTERRUPT, ERASE = "\r", "\x04", "\x03", "\x7f"
# What the line must say next, and what is typed then. An answer never stands in what was typed before it, and each program
# says that it is there before something is typed for it.
TYPED = [
    (PROMPT, 'echo re""ady' + ENTER),
    (PROMPT, "seq 1 400 | awk '{ s += $1 * $1; print s }'" + ENTER),  # a burst of output
    (PROMPT, 'echo writing "here"; cat > /tmp/f' + ENTER),
    (b"writing here\r\n", "one two three" + ENTER),
    (b"three\r\n", "four fivf" + ERASE + "e" + ENTER),
    (b"e\r\n", END_OF_INPUT),
    (PROMPT, "wc /tmp/f; sort -r /tmp/f | sha256sum" + ENTER),
    (PROMPT, "dd if=/dev/zero bs=1024 count=256 2>/dev/null | sha256sum" + ENTER),
    (PROMPT, '(for i in 1 2 3; do echo "child $i" > /tmp/c.$i & done; wait); cat /tmp/c.*' + ENTER),
    (PROMPT, 'echo sleep"ing"; sleep 1000' + ENTER),
    (b"sleeping\r\n", INTERRUPT),
    (PROMPT, 'read -p "mo""re? " first rest' + ENTER),
    (b"more? ", "alpha beta gamma" + ENTER),
    (PROMPT, 'echo "<$rest> <$first>"' + ENTER),
    (PROMPT, "exit 3" + ENTER),
]


class GuestSession(GuestTest):
    cost = 50

    def session(self, args):
        """The outcome, and what stood on the line from the shell's first prompt to its end."""
        initrd = self.scratch / "initrd"
        linux_guest.write_initramfs(initrd, "setsid cttyhack sh\n")
        outcome = self.boot_guest(linux_guest.kernel(), f"stdin=console console=serial {args}", initrd, QUIET,
                                  dialogue=tuple((wait, typed.encode()) for wait, typed in TYPED), timeout=LONG)
        said = re.search(rf"{linux_guest.BEGIN}\n(.*){linux_guest.END} (\d+)\n", outcome.raw.replace("\r\n", "\n"), re.S)
        self.assertIsNotNone(said, "the session has no end")
        self.assertEqual(said.group(2), "3")
        return outcome, said.group(1)

    def test_flips_during_a_typed_session_change_nothing_on_the_line(self):
        once, expected = self.session("harden=none")
        self.assert_clean(once)
        for answer in ("\nready\n", "\n21413400\n", "\n<beta gamma> <alpha>\n", "child 1\nchild 2\nchild 3\n", "^C"):
            self.assertIn(answer, expected)
        outcome, shown = self.session("inject.only=guest inject.rate=300 inject.seed=5")
        self.assert_clean(outcome)
        # A line about a flip begins at the margin: where it cuts one of the session's, a line end is added.
        shown, expected = (re.sub(r"reprise: flip .*\n|\n", "", text) for text in (shown, expected))
        self.assertEqual(shown, expected)
        end, = outcome.events("shutdown")
        self.assertGreater(end.number("flips_caught"), 100)
        self.assertEqual(end.number("flips_caught") + end.number("flips_died_out"), end.number("flips"))
