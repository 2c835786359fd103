"""docs/linux-calls.md says of every Linux system call what becomes of it, from the personality's own table
(user/linux/calls.cpp), its names (call_names.cpp) and notes (call_notes.txt). This fails when the page says
something else. `--write` writes it."""

import re
import sys
import unittest
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SOURCES = TOP / "user" / "linux"
PAGE = TOP / "docs" / "linux-calls.md"
UNKNOWN = "unknown"  # a call that is not in the table
CONSTANT = re.compile(r"\b(E[A-Z]{4,}|[A-Z]+_[A-Z0-9_]+|T[CI]O?[A-Z]{4,}|F[A-Z]{4,})\b")
NO_OWN_WORK = {"call_zero", "not_served", "other_device", "not_permitted"}  # their calls need notes

INTRODUCTION = """\
# Every Linux system call

What the personality does with each system call of x86-64 Linux. [linux.md](linux.md) says more about the areas. This page
is made from the personality's own table; `python3 tests/style/linux_calls.py --write` renews it, and a test compares.

- **served**: as Linux does it, for the one process and its one thread.
- **partly**: what is said here is served or missing; what is missing is an error that Linux has, too.
- **refused**: always the error that is named.
- **unknown**: `ENOSYS`. The log names such a call when a program makes it for the first time.

"""


class NotesError(Exception):
    pass


@dataclass(frozen=True)
class Note:
    kind: str   # partly, refused
    error: str  # of a refused call
    text: str


def names():
    """Number -> name, as in call_names.cpp."""
    text = (SOURCES / "call_names.cpp").read_text(encoding="utf-8")
    found = {}
    for first, strings in re.findall(r"\.first = (\d+),\s*\.names\s*=((?:\s*\"[^\"]*\")+)", text):
        together = "".join(re.findall(r'"([^"]*)"', strings))
        found.update({int(first) + i: name for i, name in enumerate(together.split())})
    return found


def handlers():
    """Number -> handler, as in calls.cpp."""
    text = (SOURCES / "calls.cpp").read_text(encoding="utf-8")
    return {int(number): handler for number, handler in re.findall(r"\{\.number = (\d+), \.handler = (\w+)\}", text)}


def notes():
    """Name of a call or a handler -> its Note."""
    found = {}
    lines = (SOURCES / "call_notes.txt").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\w+) +(?:(partly)|(refused) +(E[A-Z0-9]+)) +(\S.*)", line)
        if not match:
            raise NotesError(f"call_notes.txt, line {number}: not as the comment at its top says: {line}")
        name, partly, refused, error, text = match.groups()
        if name in found:
            raise NotesError(f"call_notes.txt, line {number}: {name} has a note already")
        found[name] = Note(partly or refused, error or "", text)
    return found


def rows():
    """(number, name, kind, text) of each call."""
    named, served, noted = names(), handlers(), notes()
    unused = set(noted) - set(named.values()) - set(served.values())
    if unused:
        raise NotesError(f"call_notes.txt has notes on {', '.join(sorted(unused))}: no call and no handler in use")
    for number in sorted({*named, *served}):
        name, handler = named.get(number, "unknown"), served.get(number)
        note = noted.get(name) or noted.get(handler)
        if handler is None:
            if note:
                raise NotesError(f"call_notes.txt has a note on {name}, which is not in the table")
            yield number, name, UNKNOWN, ""
        elif note is None:
            if handler in NO_OWN_WORK:
                raise NotesError(f"{name} ({handler}) does nothing: call_notes.txt must say so")
            yield number, name, "served", ""
        else:
            error = f"`{note.error}`: " if note.error else ""
            yield number, name, note.kind, error + CONSTANT.sub(r"`\1`", note.text)


def page():
    lines = list(rows())
    counts = Counter(kind for _, _, kind, _ in lines)
    rest = [f"`{name}` ({number})" for number, name, kind, _ in lines if kind == UNKNOWN]
    text = INTRODUCTION
    text += f"Of {len(lines)} calls {counts['served']} are served, {counts['partly']} partly, {counts['refused']} refused for " \
            f"a reason, and {len(rest)} unknown.\n\n| number | call | | |\n|---|---|---|---|\n"
    text += "".join(f"| {number} | `{name}` | {kind} | {note} |\n" for number, name, kind, note in lines if kind != UNKNOWN)
    return text + f"\nUnknown, with their numbers: {', '.join(rest)}.\n"


class LinuxCalls(unittest.TestCase):
    def test_the_page_is_what_the_table_says(self):
        self.assertEqual(PAGE.read_text(encoding="utf-8"), page(),
                         "run: python3 tests/style/linux_calls.py --write")

    def test_the_table_is_read_whole(self):
        self.assertEqual(names()[0], "read")
        self.assertEqual(names()[439], "faccessat2")
        self.assertEqual(handlers()[231], "call_exit")
        in_table = re.findall(r"\.number = \d", (SOURCES / "calls.cpp").read_text(encoding="utf-8"))
        self.assertEqual(len(handlers()), len(in_table))


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        unittest.main()
