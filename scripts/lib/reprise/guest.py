"""A kernel as a hardened guest (docs/guests.md): its files, its monitor, and the memory that both need. What cannot
work is refused before the boot, with what would."""

import struct
from dataclasses import dataclass
from pathlib import Path

from . import image, tree
from .archive import Archive

MONITOR = "monitor"
GRANT = f"grant={MONITOR}:guest"
CPU = "qemu64,+svm,+npt"  # the monitor hides what `max` has beyond it
COMMAND_LINE = ("console=ttyS0 nokaslr noapic nolapic acpi=off pci=off nosmp no_timer_check io_delay=none lpj=4000000 "
                "tsc_early_khz=1000000 reboot=t")
MEMORY = 128              # MiB, when nobody says how much
LEAST, MOST = 2, 3072     # user/monitor/main.cpp
MACHINE = 64 << 20        # the machine's own: boot loader, kernel, drivers, copies of pages
TEST_MAGIC = b"REPRISE-GUEST\0\0\0"
PLACE = 1 << 20           # of a test guest
MIB = 1 << 20


class GuestError(Exception):
    """The guest cannot run; the text says why, and what would do."""


@dataclass
class Guest:
    kernel: Path
    initrd: Path = None
    words: str = ""           # of the kernel's command line, behind COMMAND_LINE
    memory: int = MEMORY      # MiB
    disk: Path = None         # read only; what the guest writes is gone with it

    def __post_init__(self):
        self.kernel = Path(self.kernel)
        self.initrd = Path(self.initrd) if self.initrd else None
        self.disk = Path(self.disk) if self.disk else None

    def command_line(self):
        words = COMMAND_LINE.replace(" pci=off", "") if self.disk else COMMAND_LINE  # the disk is on PCI
        return f"{words} {self.words}".strip()

    def file_bytes(self):
        return sum(path.stat().st_size for path in (self.kernel, self.initrd, self.disk) if path)

    def archive(self):
        archive = Archive()
        archive.add_bytes("kernel", self.kernel.read_bytes())
        if self.initrd:
            archive.add_bytes("initrd", self.initrd.read_bytes())
        if self.disk:
            archive.add_bytes("disk", self.disk.read_bytes())
        return archive

    def program(self):
        """Its monitor. The command line is one word, so that it may have any number of its own."""
        words = [MONITOR, *(["disk=disk"] if self.disk else []), str(self.memory), "kernel",
                 "initrd" if self.initrd else "-", self.command_line()]
        return image.Program(tree.native_programs()[MONITOR], words, MONITOR)

    def machine_memory(self):
        """MiB that the machine needs: the guest's memory, the files twice (as GRUB reads and moves them), what the guest
        may write to its disk, and its own."""
        written = self.disk.stat().st_size if self.disk else 0
        return -(-((self.memory << 20) + 2 * self.file_bytes() + written + MACHINE) // MIB)

    def check(self):
        """Raises GuestError when the kernel, or what goes with it, cannot be loaded."""
        if not LEAST <= self.memory <= MOST:
            raise GuestError(f"--guest-memory {self.memory}: a guest has from {LEAST} to {MOST} MiB")
        with open(self.kernel, "rb") as file:
            start = file.read(0x268)
        if start.startswith(TEST_MAGIC):
            self._check_fit(PLACE + self.kernel.stat().st_size, "a test guest")
        elif start[0x202:0x206] == b"HdrS":
            self._check_linux(start)
        else:
            raise GuestError(f"{self.kernel} is no kernel that a guest can start: give a Linux kernel (a bzImage, such as "
                             "/boot/vmlinuz-*), or a test guest")

    def _check_linux(self, start):
        version, = struct.unpack_from("<H", start, 0x206)
        if version < 0x20a or len(start) < 0x264:
            raise GuestError(f"{self.kernel} has Linux's boot protocol {version >> 8}.{version & 255:02}, and 2.10 is the oldest "
                             "that will do")
        if start[0x211] & 1 == 0:
            raise GuestError(f"{self.kernel} is a zImage, which loads below 1 MiB: give a bzImage")
        longest, = struct.unpack_from("<I", start, 0x238)
        if len(self.command_line().encode()) > longest:
            raise GuestError(f"the guest's command line has {len(self.command_line())} characters, and its kernel takes "
                             f"{longest}: shorten --append-guest")
        place, needed = struct.unpack_from("<QI", start, 0x258)
        self._check_fit(place + max(needed, self.kernel.stat().st_size), "the kernel")

    def _check_fit(self, end, what):
        """`end`: up to where the guest's memory is in use before the initrd, which begins at a page."""
        initrd = (self.initrd.stat().st_size + 4095) & -4096 if self.initrd else 0
        if end + initrd <= self.memory << 20:
            return
        also = f" and an initrd of {_mib(initrd)} MiB" if initrd else ""
        raise GuestError(f"{what} uses the guest's memory up to {_mib(end)} MiB; with that{also}, {self.memory} MiB are too "
                         f"little: --guest-memory {_mib(end + 3 * initrd)}")


def _mib(number):
    return -(-number // MIB)
