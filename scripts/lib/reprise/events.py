"""The console taken apart. Three kinds of lines share it: `reprise: EVENT key=value ...` for
scripts, `[reprise] ...` for people, and what programs print (docs/log-format.md)."""

import re
import shlex
from dataclasses import dataclass

EVENT = "reprise: "
PEOPLE = "[reprise]"
# Firmware and GRUB write these to the serial line under UEFI before the kernel starts.
TERMINAL_CODES = re.compile(r"\x1b(\[[0-9;?=]*[A-Za-z]|[()][A-Z0-9]|[=>c])")


@dataclass(frozen=True)
class Event:
    name: str
    fields: dict

    def __getitem__(self, key):
        return self.fields[key]

    def get(self, key, default=None):
        return self.fields.get(key, default)

    def number(self, key):
        return int(self.fields[key], 0)


def parse_event(line):
    """The event in a line, or None when the line is no event."""
    if not line.startswith(EVENT):
        return None
    try:
        name, *pairs = shlex.split(line[len(EVENT):])
    except ValueError:
        return None
    return Event(name, dict(pair.split("=", 1) for pair in pairs if "=" in pair))


def is_program_line(line):
    return not line.startswith((EVENT, PEOPLE))


class Sorter:
    """Takes the console apart as it comes: `program` gets what programs print, `log` the system's
    lines. The start of a line is held back as long as it may become either."""

    def __init__(self, program, log):
        self._program, self._log = program, log
        self._held, self._within = "", None  # the one that has the rest of the line

    def feed(self, text):
        for part in re.findall(r"[^\n]*\n|[^\n]+", text):
            self._held += part
            if self._within is None and not self._decided():
                continue
            to, part, self._held = self._within or self._owner(), self._held, ""
            self._within = None if part.endswith("\n") else to
            to(part)

    def finish(self):
        if self._held:
            (self._within or self._program)(self._held)

    def _decided(self):
        marks = (EVENT, PEOPLE)
        return self._held.startswith(marks) or not any(mark.startswith(self._held) for mark in marks)

    def _owner(self):
        return self._log if self._held.startswith((EVENT, PEOPLE)) else self._program


def clean(text):
    """Console text with Unix line ends (the serial line's are CR LF) and no terminal codes."""
    return TERMINAL_CODES.sub("", text.replace("\r\n", "\n"))


def from_kernel_on(text):
    """Drops what firmware and boot loader wrote before the kernel's first own line."""
    match = re.search(r"\[reprise\] |reprise: ", text)
    return text[match.start():] if match else text
