"""The test guest (tests/guest): all that is hard to virtualise, with the same checksums as on a plain machine."""

import re

import plain_machine
from boot import BootTest

# At least these; the guest says more.
PARTS = {"flags", "faults", "user_faults", "halt", "shadows", "syscalls", "fresh_stacks", "copy_on_write", "double_fault",
         "strings", "self_modifying", "single_steps", "breakpoints", "compute"}


def verdicts(text):
    """Part and the rest of its line."""
    return dict(re.findall(r"^part (\w+) (.*)$", text, re.MULTILINE))


class PlainMachine(BootTest):
    def test_every_part_finds_what_it_expects_on_each_kind_of_cpu(self):
        texts = set()
        for cpu in ("qemu64", "qemu64,+svm,+npt", "max"):
            with self.subTest(cpu):
                ran = plain_machine.run(plain_machine.test_guest(), cpu=cpu)
                self.assertEqual(ran.status, 0, ran.text)
                self.assertTrue(ran.text.endswith("test guest: end\n"), ran.text)
                found = verdicts(ran.text)
                self.assertLessEqual(PARTS, set(found))
                for part, verdict in found.items():
                    self.assertRegex(verdict, r"^ok [0-9A-F]{8}$", part)
                texts.add(ran.text)
        self.assertEqual(len(texts), 1)
