"""The small guest (small_guest.asm) with one of its parts chosen."""

import struct
from pathlib import Path

from reprise import tree

CHOICE, ROUNDS = 0x20, 0x40  # small_guest.asm


def write(folder, part, rounds=1):
    """A copy in `folder` that carries out that part. Returns its path."""
    image = bytearray((tree.build_dir() / "bin" / "guests" / "small_guest").read_bytes())
    image[CHOICE:CHOICE + len(part)] = part.encode()
    struct.pack_into("<I", image, ROUNDS, rounds)
    path = Path(folder) / f"{part}.{rounds}"
    path.write_bytes(image)
    return path
