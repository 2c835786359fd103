"""Guests that are broken or mean harm: a line says what is wrong, and the rest of the machine never notices."""

import re
import struct
import sys

from boot import LONG, TOP, BootTest, long_test, native
from native_programs_test import digest_of
from reprise import guest, image
from reprise.archive import Archive

sys.path.insert(0, str(TOP / "tests" / "guest"))
import small_guest  # noqa: E402

NEIGHBOUR = ["compute", "1000000"]
SAID = re.compile(r"\[reprise\] guest: (?!ended with status)(.*)")


def linux_kernel(needed=1 << 20):
    """A file with Linux's boot protocol 2.12, for 1 MiB on. Offsets: user/monitor/boot/linux_image.cpp."""
    image = bytearray(4096)
    image[0x1f1] = 1                                        # a sector of set-up behind the first
    image[0x201:0x206] = b"\x66HdrS"                        # how far the header goes
    struct.pack_into("<H", image, 0x206, 0x20c)
    image[0x211] = 1                                        # it loads at 1 MiB or above
    struct.pack_into("<I", image, 0x22c, 0x7fffffff)        # the highest byte of an initrd
    struct.pack_into("<I", image, 0x238, 2047)              # the longest command line
    struct.pack_into("<QI", image, 0x258, 1 << 20, needed)  # where it wants to be, and how much it uses
    return bytes(image)


class BadGuests(BootTest):
    cost = 5

    def monitors(self, guests):
        """A monitor under each name, with a file of the archive, MiB of memory, and an initrd."""
        return [image.Program(native(guest.MONITOR), [guest.MONITOR, str(memory), file, initrd], name)
                for name, (file, memory, initrd) in guests.items()]

    def boot_beside_a_neighbour(self, guests, files, args="", **settings):
        """Boots all of them at once. Returns the outcome: the neighbour printed what it prints alone."""
        grants = ",".join(f"{name}:guest" for name in guests)
        archive = Archive()
        for name, content in files.items():
            archive.add_bytes(name, content)
        outcome = self.boot([*self.monitors(guests), NEIGHBOUR], f"grant={grants} report=short {args}".strip(),
                            archive=archive, cpu=guest.CPU, **settings)
        self.assertEqual(outcome.events("panic"), [])
        self.assertEqual(outcome.exit_event("compute")["status"], "0")
        self.assertIn(f"digest={digest_of(1_000_000):016x}", outcome.program_output())
        self.assertEqual(outcome.events("shutdown")[0].number("mismatches"), 0)
        return outcome

    def small(self, part, rounds=1):
        return small_guest.write(self.scratch, part, rounds).read_bytes()

    def statuses(self, outcome, guests):
        return {name: int(outcome.exit_event(name)["status"]) for name in guests}

    def said(self, outcome):
        return SAID.findall(outcome.console)

    def test_guests_that_break_are_ended_with_a_line_each_and_harm_no_neighbour(self):
        ends = {
            "triple_fault": (1, "a triple fault before it has printed anything, at RIP 0x100"),
            "late_triple_fault": (0, "it has reset its machine: its end"),
            "jump_to_nothing": (1, "stopped at RIP 0xf0000000: it reads address 0xf0000000, where it has no memory"),
            "read_nothing": (1, ": it reads address 0xf0012344, where it has no memory"),
            "fill_memory": (1, ": it writes to address 0x400000, where it has no memory"),
            "unknown_ports": (0, "it reads port 0x5000, where no device is"),
            "unknown_msrs": (0, "it writes MSR 0x4000, which is not kept"),
            "sleep_for_ever": (1, "it waits for an interrupt that no device will make, at RIP 0x100"),
        }
        guests = {part: (part, 4, "-") for part in ends}
        outcome = self.boot_beside_a_neighbour(guests, {part: self.small(part) for part in ends})
        self.assertEqual(self.statuses(outcome, guests), {part: status for part, (status, _) in ends.items()})
        said = self.said(outcome)
        for part, (_, text) in ends.items():
            self.assertEqual(len([line for line in said if text in line]), 1, (part, text, said))
        # Of ten ports and ten MSRs eight each are named.
        ports = [line for line in said if "port 0x50" in line]
        msrs = [line for line in said if "MSR 0x40" in line]
        self.assertEqual((len(ports), len(msrs)), (8, 8), said)
        self.assertEqual(outcome.program_output().count("!\n"), 1)

    def test_what_cannot_begin_is_refused_with_a_line_and_harms_no_neighbour(self):
        lines = {
            "garbage": "its kernel cannot be loaded: it is no kernel: neither Linux's boot protocol nor a test guest's header",
            "empty": "its kernel cannot be loaded: it is no kernel: neither Linux's boot protocol nor a test guest's header",
            "absent": "the boot's archive has no file absent",
            "cut": "its kernel cannot be loaded: its header names more than the file has",
            "wide": "its kernel cannot be loaded: it does not fit into the guest's memory",
            "tight": "its kernel cannot be loaded: the initrd does not fit beside it into the guest's memory",
            "endless": "a guest has between 2 and 3072 MiB of memory, not 4000",
        }
        guests = {name: (name, 4, "-") for name in ("garbage", "empty", "absent", "cut", "wide")}
        guests |= {"tight": ("kernel", 4, "initrd"), "endless": ("kernel", 4000, "-")}
        files = {"garbage": bytes(range(256)) * 16, "empty": b"", "kernel": linux_kernel(), "cut": linux_kernel()[:0x400],
                 "wide": linux_kernel(needed=4 << 20), "initrd": bytes(3 << 20)}
        outcome = self.boot_beside_a_neighbour(guests, files)
        self.assertEqual(self.statuses(outcome, guests), dict.fromkeys(guests, 2))
        self.assertEqual(sorted(self.said(outcome)), sorted(lines.values()))

    def test_a_guest_that_uses_more_memory_than_the_machine_has_is_ended_and_harms_no_neighbour(self):
        guests = {"greedy": ("fill_memory", 3072, "-")}
        outcome = self.boot_beside_a_neighbour(guests, {"fill_memory": self.small("fill_memory")}, memory=96)
        self.assertEqual(self.statuses(outcome, guests), {"greedy": 1})
        self.assertEqual([event["process"] for event in outcome.events("out-of-memory")], ["guest"])
        self.assertEqual(self.said(outcome), ["memory is exhausted and the program is ended; give the machine more",
                                              "stopped: the machine's memory is used up"])

    @long_test
    def test_a_million_stops_harm_no_neighbour(self):
        guests = {"stops": ("stops", 4, "-")}
        outcome = self.boot_beside_a_neighbour(guests, {"stops": self.small("stops", 250_000)}, timeout=LONG)
        self.assertEqual(self.statuses(outcome, guests), {"stops": 0})
        pes, = [event.number("pes") for event in outcome.events("verdicts") if event["process"] == "guest"]
        self.assertGreaterEqual(pes, 1_000_000)
