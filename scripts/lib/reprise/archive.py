"""Files as a cpio archive in newc format, which the machine maps read-only as its file system.

Reproducible: names sorted, inode numbers counted, owner root, and no time but the files' own.
"""

import os
import stat
from pathlib import Path


def guest_path(path):
    """Where a file given as `path` stands on the machine: its working directory is the root, so
    that an argument naming the file finds it, be it relative or absolute."""
    return os.path.normpath("/" + str(path)).lstrip("/")


class Archive:
    def __init__(self):
        self._entries = {}  # name without leading slash -> (mode, mtime, content)

    def __bool__(self):
        return bool(self._entries)

    def add(self, source, name=None):
        """Adds a file, or a directory with all below it, under `name` (default: as it is named)."""
        source = Path(source)
        name = guest_path(source if name is None else name)
        if source.is_dir():
            self._add_directory(source, name)
        else:
            self._add_one(source, name, source.stat())

    def add_tree(self, directory):
        """Adds what lies in `directory` to the root."""
        self._add_directory(Path(directory), "")

    def add_bytes(self, name, content, mode=0o644, mtime=0):
        name = guest_path(name)
        self._add_parents(name)
        self._entries[name] = (stat.S_IFREG | mode, mtime, content)

    def _add_directory(self, source, name):
        def unreadable(error):
            raise error

        for folder, _, files in os.walk(source, onerror=unreadable):
            folder = Path(folder)
            here = guest_path(Path(name) / folder.relative_to(source))
            if here:
                self._add_one(folder, here, folder.stat())
            links = [entry.name for entry in os.scandir(folder) if entry.is_symlink()]
            for entry in sorted({*files, *links}):
                path = folder / entry
                self._add_one(path, guest_path(Path(here) / entry), path.lstat())

    def _add_one(self, source, name, status):
        if stat.S_ISREG(status.st_mode):
            content = source.read_bytes()
        elif stat.S_ISLNK(status.st_mode):
            content = os.fsencode(os.readlink(source))
        elif stat.S_ISDIR(status.st_mode):
            content = b""
        else:
            return  # sockets, pipes and devices mean nothing on the machine
        self._add_parents(name)
        self._entries[name] = (status.st_mode, int(status.st_mtime), content)

    def _add_parents(self, name):
        for parent in Path(name).parents:
            if parent.name:
                self._entries.setdefault(str(parent), (stat.S_IFDIR | 0o755, 0, b""))

    def size(self):
        """How many bytes write() will write, or a few less."""
        return sum(110 + len(os.fsencode(name)) + len(content) for name, (_, _, content) in self._entries.items())

    def write(self, path):
        with open(path, "wb") as out:
            for number, name in enumerate(sorted(self._entries), start=1):
                _write_entry(out, number, os.fsencode(name), *self._entries[name])
            _write_entry(out, 0, b"TRAILER!!!", 0, 0, b"")


def _write_entry(out, number, name, mode, mtime, content):
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = [number, mode, 0, 0, links, mtime & 0xFFFFFFFF, len(content), 0, 0, 0, 0,
              len(name) + 1, 0]
    out.write(b"070701" + b"".join(b"%08x" % field for field in fields))
    out.write(name + b"\0" + b"\0" * (-(110 + len(name) + 1) % 4))
    out.write(content + b"\0" * (-len(content) % 4))
