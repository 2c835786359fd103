"""The test guest on Bochs: what it prints there as a guest is what it prints there on the plain machine, the resume flags in
the frames of its faults among it. A test is skipped where Bochs is not installed."""

import re
import shutil
import subprocess
import unittest

import bochs
import plain_machine
from boot import TOP, BootTest, long_test
from changed_tree import ChangedTree
from reprise import events, guest, image

END_OF_GUEST, END_OF_REPRISE = b"test guest: end", b"reprise: shutdown"
MENU = "set timeout=0\nmultiboot /boot/guest\nboot\n"


def verdicts(text):
    return re.findall(r"^part \w+ .*$", text, re.MULTILINE)


@unittest.skipUnless(bochs.is_there(), "Bochs is not installed")
class TestGuest(BootTest):
    cost = 20

    def plain(self, kernel):
        """By GRUB, as Bochs loads no kernels."""
        root = self.scratch / "root"
        shutil.rmtree(root, ignore_errors=True)
        (root / "boot/grub").mkdir(parents=True)
        (root / "boot/guest").write_bytes(kernel.read_bytes())
        (root / "boot/grub/grub.cfg").write_text(MENU)
        iso = self.scratch / "plain.iso"
        subprocess.run(["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "-o", iso, root], check=True, capture_output=True)
        return verdicts(bochs.run(iso, self.scratch, END_OF_GUEST))

    def guest(self, file, args="", **contents):
        given = guest.Guest(file, memory=16)
        given.check()
        iso = self.image([given.program()], f"{guest.GRANT} {args}", archive=given.archive(), **contents)
        said = bochs.run(iso, self.scratch, END_OF_REPRISE)
        self.consoles.append(said)
        return verdicts(said), list(filter(None, map(events.parse_event, said.splitlines())))

    def test_it_prints_once_what_it_prints_on_the_plain_machine(self):
        kernel = plain_machine.test_guest()
        plain = self.plain(kernel)
        self.assertGreater(len(plain), 25)
        self.assertEqual([line for line in plain if " ok " not in line], [])
        self.assertEqual(self.guest(kernel, "harden=none")[0], plain)

    def test_it_prints_the_same_hardened_and_without_a_mismatch(self):
        kernel = plain_machine.test_guest(self.scratch, "-single_steps")  # docs/hardware.md
        plain = self.plain(kernel)
        self.assertGreater(len(plain), 25)
        found, said = self.guest(kernel)
        self.assertEqual(found, plain)
        reports = self.reports(said)
        self.assertEqual(set(reports), {"guest", "monitor"})
        for report in reports.values():
            self.assertEqual(report.number("mismatches"), 0, report)
            self.assertEqual(report["first_runs"], report["second_runs"])
            self.assertGreater(report.number("pes"), 1000)
        search, = [event for event in said if event.name == "convergence" and event["process"] == "guest"]
        self.assertGreater(search.number("limited"), 100)
        self.assertEqual(search["converged"], search["limited"])

    def reports(self, said):
        return {event["process"]: event for event in said if event.name == "verdicts"}

    @long_test
    def test_runs_that_end_where_the_resume_flag_is_set_are_seen_to_differ(self):
        kernel = ChangedTree(self.scratch).kernel(TOP / "tests/qemu/open_nondeterminism/guest-resume-flag.patch")
        _, said = self.guest(plain_machine.test_guest(self.scratch, "copy_on_write"), kernel=kernel)
        self.assertGreater(self.reports(said)["guest"].number("mismatches"), 0)
