"""Names for addresses: the function and the instruction that a fault struck, the kernel's word that it changed. They are those of
the build tree at hand."""

import bisect
import functools
import re
import subprocess

from .. import tree
from . import CampaignError
from .victim import path_of, segments_of

PERSONALITY = 0x7E0000000000  # user/linux/personality.ld
UNKNOWN = "?"


def _said_by(*command):
    ran = subprocess.run(command, capture_output=True, text=True)
    return ran.stdout if ran.returncode == 0 else ""


def plain(name):
    """A function's or object's name without what makes it long: result, parameters, template arguments, namespaces without names."""
    name, before = name.replace("(anonymous namespace)::", ""), None
    while before != name:
        before, name = name, re.sub(r"<[^<>]*>", "", name)
    return re.sub(r"[(\[].*", "", name).strip().split(" ")[-1]


class Symbols:
    """Of one ELF file; none for a file that is not there or has none."""

    def __init__(self, path):
        self._path = path
        rows = [line.split(" ", 2) for line in _said_by("nm", "-C", "-n", "--defined-only", str(path)).splitlines()]
        # Labels within macros (NASM's ..@) are no names for people.
        self._rows = [(int(address, 16), name) for address, kind, name in rows if kind not in "aA" and not name.startswith("..@")]
        self._starts = [address for address, _ in self._rows]

    def __bool__(self):
        return bool(self._rows)

    def name(self, address):
        place = bisect.bisect_right(self._starts, address)
        if not place:
            return f"{self._path.name}: {address:#x}"
        return plain(self._rows[place - 1][1])

    @functools.cache
    def instruction(self, address):
        said = _said_by("objdump", "-d", "--no-show-raw-insn", f"--start-address={address:#x}",
                        f"--stop-address={address + 16:#x}", str(self._path))
        for line in said.splitlines():
            where, _, what = line.strip().partition(":\t")
            if where == f"{address:x}":
                return re.sub(r"\s+", " ", re.sub(r"<.*|#.*", "", what)).strip()
        return UNKNOWN


@functools.cache
def of(path):
    return Symbols(path)


def file_at(ring, address, command):
    """The file that has the code there: the kernel's, the personality's, or the program's."""
    if ring == 0:
        return tree.kernel()
    if address >= PERSONALITY:
        return tree.personality().with_suffix(".elf")
    try:
        return path_of(command[0])
    except CampaignError:
        return tree.build_dir() / command[0]


def place(ring, address, command):
    """Function and instruction at that address, while a program runs."""
    found = of(file_at(ring, address, command))
    if not found:
        return f"{found._path.name}: {address:#x}", found.instruction(address)
    return found.name(address), found.instruction(address)


@functools.cache
def _kernel_segments():
    kernel = tree.kernel()
    return segments_of(kernel.read_bytes()) if kernel.is_file() else []


def kernel_word(physical):
    """The kernel's object or function at that physical address; None: it belongs to no part of the kernel's file."""
    for each in _kernel_segments():
        if each.physical <= physical < each.physical + each.in_memory:
            return of(tree.kernel()).name(each.address + physical - each.physical)
    return None
