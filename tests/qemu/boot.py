"""Boots images in QEMU and checks the console and the exit code: what all boot tests share.

    class Arithmetic(BootTest):
        def test_a_program_prints_its_sum(self):
            outcome = self.boot([["sum", "1", "2"]])
            self.assert_clean(outcome)
            self.assertEqual(outcome.program_output(), "3\\n")

README.md in this folder says more.
"""

import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "lib"))

from reprise import image, machine, tree  # noqa: E402
from reprise.archive import Archive  # noqa: E402

BUSYBOX = "/bin/busybox"
# What every boot of a test has unless the test says otherwise. The wall clock is fixed, so that
# dates can be asserted. The time limit only ends a hang: however busy the host is, no boot takes so
# long. Without the 8254 timer GRUB does not wait 55 ms of guest time for it, which is half the time
# of a boot when the guest's time counts instructions. Tests of timers and of firmware keep it
# (pit=True). GRUB reads a virtio disk 0.4 s sooner than a CD. The kernel uses neither. Tests of
# firmware and of media keep the CD (virtio=False).
DEFAULTS = {"timeout": 900, "clock": "2024-02-29T12:00:00", "pit": False, "virtio": True}
LONG = 7200  # timeout= of a boot in a test that is marked long


def long_test(function):
    """Marks a test for `scripts/test --long` alone: it takes more than about half a minute."""
    function.labels = ("long",)
    return function


def native(name):
    """The file of a native program of the tree; the test errs when the build did not make it."""
    return tree.native_programs()[name]


def linux(name):
    """The file of a Linux test program (tests/programs/linux)."""
    return tree.linux_program(name)


def as_program(given):
    """An argv, or a ready image.Program. argv[0] names a native program or a file."""
    if isinstance(given, image.Program):
        return given
    argv = [str(word) for word in given]
    path = argv[0] if "/" in argv[0] else native(argv[0])
    return image.Program(path, argv)


class BootTest(unittest.TestCase):
    """Keeps a scratch folder and, for a failure's report, the console of each boot."""

    maxDiff = 4000
    cost = 1  # ctest starts the dearest first, so that none of them is left over at the end

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="reprise-test-")
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)
        self.consoles = []

    def image(self, programs=(), args="", files=None, archive=None, **contents):
        """Makes an image and returns its path. `files`: name on the machine -> bytes, or the path
        of a file here. `archive`: a ready Archive, or a file that stands for one."""
        if files:
            archive = archive or Archive()
            for name, content in files.items():
                if isinstance(content, bytes):
                    archive.add_bytes(name, content)
                else:
                    archive.add(content, name)
        iso = self.scratch / "test.iso"
        image.write_image(image.Contents([as_program(given) for given in programs], archive, args,
                                         **contents), iso)
        return iso

    def boot(self, programs=(), args="", files=None, archive=None, contents=None, **settings):
        """Boots programs to the machine's end and returns a machine.Outcome. `contents`: further
        fields of image.Contents (kernel, personality, modules); the rest: of machine.Settings."""
        settings = {**DEFAULTS, **settings}
        args = f"{args} {machine.counter_argument(settings.get('counter', ''))}".strip()
        iso = self.image(programs, args, files, archive, **(contents or {}))
        outcome = machine.run(iso, machine.Settings(**settings))
        self.consoles.append(outcome.console)
        self.assertFalse(outcome.timed_out, f"no end within {settings['timeout']} seconds")
        return outcome

    def screenshot(self, programs, marker, shows, args="", **settings):
        """Boots, waits for `marker` on the console, and until shows(picture, console) is true of
        the screen, but not for ever. Returns the picture's path (PNG)."""
        iso = self.image(programs, args)
        settings = {**DEFAULTS, **settings}
        picture = self.scratch / "screen.png"
        console = machine.screenshot(iso, machine.Settings(**settings), picture, marker,
                                     lambda text: shows(picture, text))
        self.consoles.append(console)
        return picture

    def assert_clean(self, outcome):
        """All programs ended with status 0 and no mismatch is left."""
        self.assertEqual(outcome.value, machine.CLEAN, f"QEMU's exit status {outcome.status}")

    def assert_boot_error(self, outcome, word):
        """The kernel refused with that error (user/loader/error.hpp), its own exit code and no
        panic."""
        errors = outcome.events("error")
        self.assertEqual([event["code"] for event in errors], [word])
        self.assertGreaterEqual(outcome.value or 0, machine.FIRST_BOOT_ERROR)
        self.assertEqual(outcome.events("panic"), [])

    def assert_no_mismatch(self, outcome):
        """Every PE was committed at the first attempt, and every hardened one was run twice."""
        verdicts = outcome.events("verdicts")
        self.assertTrue(verdicts, "the report says nothing about any process")
        for event in verdicts:
            self.assertEqual(event.number("mismatches"), 0, event)
            self.assertEqual(event.number("restarts"), 0, event)
            self.assertGreater(event.number("second_runs"), 0, event)
