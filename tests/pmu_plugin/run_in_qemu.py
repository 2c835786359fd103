#!/usr/bin/python3
"""Runs the test kernel (guest/) in QEMU with the plugin, once for each way of using it.

The kernel prints `ok NAME` or `FAIL NAME ...` for each test and says by its exit code whether all
passed. A case here is a sentence, the plugin's arguments (None: no plugin), what the kernel is told
of them, further options of QEMU, and the expected exit status.
"""

import argparse
import subprocess
import sys

PASSED, FAILED, REFUSED = 0x10 << 1 | 1, 0x11 << 1 | 1, 1
ICOUNT = ["-icount", "shift=0,sleep=off"]
SECONDS = 900  # ends a hang; no case takes so long on a busy host

CASES = {
    "counts and interrupts are right": ("", "", [], PASSED),
    "they are under -icount": ("", "", ICOUNT, PASSED),
    "they are in blocks of one instruction": ("", "single=1", ["-singlestep"], PASSED),
    "they are when QEMU throws its code away": ("", "", ["-accel", "tcg,tb-size=1"], PASSED),
    "the interrupt may be late": ("delay=100,seed=3", "delay=100", [], PASSED),
    "it may come after its program": ("delay=5000,seed=4", "delay=5000", [], PASSED),
    "it may come late under -icount": ("delay=5000,seed=5", "delay=5000", ICOUNT, PASSED),
    "each entry of the kernel may count": ("gain=1", "gain=1", [], PASSED),
    "a narrow counter, no stale interrupts": ("width=32,stale=off", "width=32 stale=0", [], PASSED),
    "without the plugin the tests fail": (None, "", [], FAILED),
    "a late interrupt that was not announced is seen": ("delay=5000,seed=4", "", [], FAILED),
    "an unknown argument is refused": ("dealy=3", "", [], REFUSED),
    "a second CPU is refused": ("", "", ["-smp", "2"], REFUSED),
}


def command(options, arguments, told, further):
    machine = ["-M", "pc", "-cpu", "max", "-m", "64", "-no-reboot", "-nodefaults",
               "-display", "none", "-serial", "stdio", "-monitor", "none",
               "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
               "-kernel", options.guest, "-append", told]
    if arguments is not None:
        text = ",".join([options.plugin, "report=on"] + ([arguments] if arguments else []))
        machine += ["-plugin", text]
    return [options.qemu] + machine + further


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--plugin", help="pmu_plugin.so")
    parser.add_argument("--guest", help="pmu_plugin_guest.elf")
    parser.add_argument("case", nargs="?", choices=CASES)
    options = parser.parse_args()
    if options.list or not options.case:
        print("\n".join(CASES))
        return 0
    arguments, told, further, expected = CASES[options.case]
    line = command(options, arguments, told, further)
    print(" ".join(line), flush=True)
    try:
        status = subprocess.run(line, timeout=SECONDS, stdin=subprocess.DEVNULL).returncode
    except subprocess.TimeoutExpired:
        print(f"QEMU still ran after {SECONDS} s")
        return 1
    print(f"exit status {status}, expected {expected}")
    return 0 if status == expected else 1


if __name__ == "__main__":
    sys.exit(main())
