"""The tree's own files: what git tracks, or all but build trees where there is no git."""

import os
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
C_LIKE = {".cpp", ".hpp", ".c", ".h"}
RING_0 = ("kernel/", "arch/", "libdwc/")


def _walked():
    for folder, folders, names in os.walk(TOP):
        folders[:] = [name for name in folders if name != "build" and not name.startswith(".")]
        yield from (os.path.relpath(os.path.join(folder, name), TOP) for name in names)


def tracked(suffixes=None, under=""):
    """Paths relative to the top, sorted. `suffixes`: only files that end so; `under`: a prefix or
    a tuple of prefixes."""
    listed = subprocess.run(["git", "-C", TOP, "ls-files", "-z"], capture_output=True, text=True)
    names = listed.stdout.split("\0") if listed.returncode == 0 else _walked()
    return sorted(name for name in names
                  if name and name.startswith(under) and (TOP / name).is_file()
                  and (suffixes is None or Path(name).suffix in suffixes))
