"""Files that come back from a machine: what the program has left, under the names that --out and --out-root
gave. The personality sends them at the program's end (user/linux/ending.cpp)."""

import os
import stat
from pathlib import Path

from . import archive

FILE, FILE_BYTES, DIRECTORY, LINK, MISSING, FILES_END = 3, 4, 5, 6, 7, 8  # kinds of frames
EVERYTHING = "/"  # among the names: all that the program made or changed


class ReturnError(Exception):
    """A file cannot come back; the text says which and why."""


class _Target:
    """Where one request goes: a file of that path, or a folder's content."""

    def __init__(self, option, name, path):
        self.option, self.name, self.path = option, name, Path(path)
        self._top = os.path.realpath(path)  # before the machine has sent any link
        self.came = False

    def place(self, name):
        """The path here for a name there. The machine's names cannot lead out of the folder."""
        asked = self.name.rstrip("/")
        before, *parts = name[len(asked):].split("/")
        if not name.startswith(asked) or before or {"", ".", ".."} & set(parts):
            raise ReturnError(f"{self.option}: the machine sent a file that was not asked for: {name}")
        path = self.path.joinpath(*parts)
        if parts:
            if os.path.commonpath([self._top, os.path.realpath(path.parent)]) != self._top:
                raise ReturnError(f"{self.option}: {path.parent} leads out of {self.path}, where {path.name} is to be written")
        return path


class Returned:
    """The requests of one run. `frame` gets the frames of a channel that are no stream's."""

    def __init__(self, names, folder):
        """`names`: pairs of a name there and a path here; `folder`: for all that changed, or None."""
        self._targets = [_Target(f"--out {name}", "/" + archive.guest_path(name), path) for name, path in names]
        if folder is not None:
            self._targets.append(_Target(f"--out-root {folder}", EVERYTHING, folder))
        self._links, self._file, self._left, self._when = [], None, 0, None
        self._over = False
        for target in self._targets:
            if not target.path.absolute().parent.is_dir():
                raise ReturnError(f"{target.option}: no such directory: {target.path.absolute().parent}")
        if folder is not None:
            Path(folder).mkdir(exist_ok=True)

    @property
    def wanted(self):
        return [target.name for target in self._targets]

    def frame(self, frame):
        if frame.kind == FILES_END:
            self._over = True
        elif frame.kind == FILE_BYTES:
            if self._file is None:
                raise ReturnError("the machine sent bytes of no file")
            self._write(frame.content)
        elif frame.kind in (FILE, DIRECTORY, LINK):
            if frame.detail >> 16 >= len(self._targets):
                raise ReturnError("the machine sent a file that was not asked for")
            target = self._targets[frame.detail >> 16]
            target.came = True
            name, _, leads_to = frame.content.partition(b"\0")
            path = target.place(os.fsdecode(name))
            if frame.kind == FILE:
                if path != target.path and path.is_symlink():  # where it leads, only a person may say
                    path.unlink()
                self._begin(path, frame.detail & 0o777, *frame.words)
            elif frame.kind == DIRECTORY:
                path.mkdir(parents=True, exist_ok=True)
            else:
                self._links.append((target, os.fsdecode(name), os.fsdecode(leads_to)))

    def _begin(self, path, mode, size, when):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "wb")
        if self._is_regular():
            os.fchmod(self._file.fileno(), mode | 0o600)
        self._left, self._when = size, when
        self._end_if_whole()

    def _write(self, content):
        self._file.write(content)
        self._left -= len(content)
        self._end_if_whole()

    def _end_if_whole(self):
        if self._left > 0:
            return
        self._file.flush()
        if self._is_regular():
            os.utime(self._file.fileno(), ns=(self._when, self._when))
        self._file.close()
        self._file = None

    def _is_regular(self):
        """Not /dev/stdout, say, whose mode is not the program's to set."""
        return stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)

    def finish(self):
        """Behind the machine's end. Returns what did not come back, as sentences."""
        for target, name, leads_to in self._links:  # last: no file is written through one
            path = target.place(name)  # and no link: those before are there now
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink() or path.exists():
                path.unlink()
            path.symlink_to(leads_to)
        if self._file:
            self._file.close()
            return [f"{self._file.name} is not whole: the machine ended within it"]
        if self._targets and not self._over:
            return ["no files came back: the program was ended from outside, or it is a native one and has none"]
        return [f"{target.option}: the program left no such file" for target in self._targets
                if not target.came and target.name != EVERYTHING]
