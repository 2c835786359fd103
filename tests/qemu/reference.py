"""What Linux does with the same program: the program is run here, in the same files, and the
machine must print and return the same."""

import bz2
import io
import os
import random
import subprocess
import tarfile
from pathlib import Path

EPOCH = 1_000_000_000  # 2001-09-09 01:46:40 UTC, the time of every file of a test


def on_linux(argv, folder):
    """Runs a program in `folder`, which stands for the machine's root. Returns output and status.
    """
    done = subprocess.run([str(word) for word in argv], cwd=folder, env={}, timeout=900,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return done.stdout, done.returncode


def lines(count, seed):
    """Text of numbered lines of words, in random order, alike each time."""
    chance = random.Random(seed)
    words = ["bit", "flip", "page", "frame", "run", "commit", "restart", "rotate", "copy", "word"]
    numbered = [f"{n} {' '.join(chance.choices(words, k=chance.randint(1, 9)))}\n"
                for n in range(count)]
    chance.shuffle(numbered)
    return "".join(numbered).encode()


def _tar_of(names):
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number, name in enumerate(names):
            member = tarfile.TarInfo(name)
            member.size = number * 700
            member.mtime = EPOCH
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return stored.getvalue()


def make_tree(folder):
    """Fills a folder with files to work on, alike each time."""
    folder = Path(folder)
    text = lines(2000, seed=1)
    contents = {
        "lines": text,
        "small": lines(40, seed=2),
        "packed.bz2": bz2.compress(lines(300, seed=3)),
        "files.tar": _tar_of([f"member-{n}/file" for n in range(12)]),
        "sums.bc": b"scale=40\n4*a(1)\nsqrt(2)\n2^521-1\nfor (i = 1; i < 9; ++i) i!=4\nquit\n",
        "tree/one": b"a commit\n",
        "tree/empty": b"",
        "tree/deep/er/two": b"no match here\nand a restart there\n",
        "tree/deep/three": text[:5000],
    }
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "tree" / "link").symlink_to("deep/three")
    for path in [*folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


def printed_bytes(outcome):
    """What the only program of a boot printed, byte for byte: what stands between the line on the
    boot and the one on the program's end. The console puts a CR before each LF, and begins its own
    lines at the margin."""
    came = outcome.data.replace(b"\r\n", b"\n")
    begin = came.index(b"\n", came.index(b"reprise: boot ")) + 1
    return came[begin:came.rindex(b"reprise: exit ")]
