"""How many cache lines second runs read or write, counted by a plugin for QEMU (tests/instruction_count/README.md): those
are what a flush between the runs makes them fetch again."""

import re
import subprocess

from .. import machine, tree

# Behind the last flush of a page a second run begins; when registers are compared it has ended. As `nm -C` lists these
# functions; both are called by their addresses, so that no compiler makes them part of others. QEMU's CPU has AVX2.
BEGIN = r"arch::flush_frame\(.*\)"
END = "differing_bits_avx2"


def plugin():
    path = tree.build_dir() / "bin" / "line_count.so"
    if not path.exists():
        raise machine.MachineError(f"{path} is missing: build the target line_count")
    return path


def _address(pattern):
    listed = subprocess.run(["nm", "-C", str(tree.kernel())], capture_output=True, text=True, check=True).stdout
    found = re.findall(rf"^([0-9a-f]+) [tTwW] (?:\S+ )*?{pattern}$", listed, re.MULTILINE)
    if len(found) != 1:
        raise machine.MachineError(f"the kernel has {len(found)} functions {pattern}, not one: correct bench/line_count.py")
    return found[0]


def arguments(out):
    """For QEMU, which then writes its count to the file `out`."""
    return ["-plugin", f"{plugin()},out={out},begin={_address(BEGIN)},end={_address(END)}"]


def read(out):
    """The lines of all second runs together."""
    return int(dict(line.split() for line in out.read_text(encoding="ascii").splitlines())["lines"])
