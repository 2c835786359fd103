"""Kernels on a machine of QEMU's own, without Reprise: what they print there is the reference for the same kernels as
guests."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from boot import machine, tree

TEST_GUEST = "guests/test_guest"
CHOICE = 0x20   # tests/guest/guest.asm
PATIENCE = 900  # seconds; it only ends a hang


@dataclass
class Ran:
    text: str    # the serial line
    status: int  # that the kernel ended the machine with (port 501h); None: it ended otherwise


def test_guest(folder=None, choice=""):
    """The flat file of tests/guest; with a choice, a copy in `folder` that carries out that part alone, or, with a minus
    sign before its name, all others."""
    built = tree.build_dir() / "bin" / TEST_GUEST
    if not choice:
        return built
    image = bytearray(built.read_bytes())
    image[CHOICE:CHOICE + len(choice)] = choice.encode()
    copy = Path(folder) / f"test_guest{choice}"
    copy.write_bytes(image)
    return copy


def run(kernel, *more, memory=64, cpu="qemu64"):
    """Boots a kernel by QEMU's own loader. Time counts instructions, so that each run prints the same."""
    line = [machine.QEMU, "-cpu", cpu, "-m", str(memory), "-display", "none", "-no-reboot", "-net", "none", "-serial", "stdio",
            "-icount", "shift=0,sleep=off", "-device", "isa-debug-exit,iobase=0x501,iosize=1", "-kernel", str(kernel), *more]
    ran = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
                         check=False)
    text = ran.stdout.decode("utf-8", "replace").replace("\r\n", "\n")
    return Ran(text, ran.returncode >> 1 if ran.returncode & 1 else None)
