"""`scripts/bench --read`: the sheet that a machine printed at report=sheet (docs/log-format.md), from a log of its serial line
or typed from a photograph. Each line has a check, so what is wrong is said by line before anything is made of it."""

import binascii
import re
from dataclasses import dataclass, field

from .. import events
from . import cases, figures, usb_image

FORMAT = 1
# Of a line `2x`, behind the name.
COUNTS = ("status", "mismatches", "pes", "limited", "calls")
EVENTS = ("steps", "write_faults", "copies", "fault_copies", "compares", "flushed_pages")
ONCE = ("status", "pes", "kilocycles")
BEGIN = re.compile(r"\bsheet\s+[0-9OoIl]{2,3}\s")  # a number, or what a tired eye takes for one
LINE = re.compile(r"sheet (?P<text>(?P<number>\d{2,}) (?P<content>\S.*?)) ?# ?(?P<check>[0-9a-f]{4})$", re.IGNORECASE)


class SheetError(Exception):
    """The log has no sheet, or not a whole one; the text says which line to look at."""


@dataclass
class Twice:
    name: str
    numbers: dict       # COUNTS, figures.PHASES (kilocycles) and EVENTS


@dataclass
class Sheet:
    cpu: str = ""
    signature: str = ""
    hypervisor: bool = False
    kilohertz: int = 0          # of the time stamp
    clock: str = ""             # what said so
    counter: str = ""
    margin: int = 0
    skid: int = 0
    longest_wait: int = 0       # nanoseconds
    longest_pe: int = 0
    twice: list = field(default_factory=list)
    once: dict = field(default_factory=dict)   # name -> ONCE
    lines: list = field(default_factory=list)  # as they were printed


def check_of(text, before=0):
    """CRC-16/XMODEM, as user/init/sheet_line.hpp has it."""
    return binascii.crc_hqx(text.encode("ascii", "replace"), before)


def _sheet_lines(text):
    """Place in the file and text of each line that is meant to be one of a sheet's, with single blanks."""
    for place, line in enumerate(events.clean(text).splitlines(), 1):
        if begin := BEGIN.search(line):
            yield place, " ".join(line[begin.start():].split())


def _last_begun(lines):
    """The lines from the last one that is a sheet's first."""
    begins = [index for index, (_, line) in enumerate(lines) if line.startswith("sheet 01 ")]
    return lines[begins[-1]:] if begins else lines


def _complaints(lines, name):
    """What is wrong with single lines, and with their order."""
    found, expected = [], 1
    for place, line in lines:
        match = LINE.match(line)
        if not match:
            found.append(f"{name}, line {place}: {line[:40]!r} has not the form 'sheet NUMBER TEXT #CHECK'")
            expected += 1
            continue
        number, check = int(match["number"]), check_of(match["text"])
        if check != int(match["check"], 16):
            found.append(f"{name}, line {place}: sheet line {match['number']} is not as the machine printed it: its check is "
                         f"{match['check'].lower()}, but what stands there gives {check:04x}. Compare it with the photograph")
        if number != expected:
            what = f"line {expected:02}" if number == expected + 1 else f"lines {expected:02} to {number - 1:02}"
            found.append(f"{name}, line {place}: sheet line {match['number']} is repeated or out of order" if number < expected
                         else f"{name}, line {place}: sheet {what} {'is' if number == expected + 1 else 'are'} missing before "
                              f"line {match['number']}")
        expected = number + 1
    return found


def _without_repetitions(lines):
    """The emergency output may say a line twice."""
    return [pair for index, pair in enumerate(lines) if index == 0 or pair[1] != lines[index - 1][1]]


def _numbers(words, keys, line):
    if len(words) != len(keys) or not all(word.isdecimal() for word in words):
        raise SheetError(f"sheet line {line!r} does not have {len(keys)} numbers: it is of another version of Reprise")
    return dict(zip(keys, map(int, words), strict=True))


def _after(words, key):
    return words[words.index(key) + 1]


def _take(sheet, content):
    """Adds what a line says."""
    kind, *words = content.split()
    if kind == "cpu":
        sheet.signature, sheet.hypervisor, sheet.cpu = words[0], words[2] == "yes", " ".join(words[3:])
    elif kind == "clock":
        sheet.kilohertz, sheet.clock = int(words[1]), words[3]
    elif kind == "counter":
        sheet.counter, sheet.margin, sheet.skid = words[0], int(_after(words, "margin")), int(_after(words, "skid"))
    elif kind == "machine":
        sheet.longest_wait, sheet.longest_pe = int(_after(words, "wait-ns")), int(_after(words, "pe-ns"))
    elif kind == "2x":
        sheet.twice.append(Twice(words[0], _numbers(words[1:], (*COUNTS, *figures.PHASES, *EVENTS), content)))
    elif kind == "1x":
        for first in range(0, len(words), 1 + len(ONCE)):
            sheet.once[words[first]] = _numbers(words[first + 1:first + 1 + len(ONCE)], ONCE, content)


def parse(text, name):
    """The last sheet in the text. `name` stands in errors."""
    lines = _without_repetitions(_last_begun(list(_sheet_lines(text))))
    if not lines:
        raise SheetError(f"{name} has no sheet: it is no log of an image that scripts/bench --image wrote, or ends too early")
    matches = [match for match in (LINE.match(line) for _, line in lines) if match]
    first = matches[0]["content"] if matches else ""
    if first.startswith("reprise format ") and not first.startswith(f"reprise format {FORMAT} "):
        raise SheetError(f"{name}: its sheet has format {first.split()[2]}, not {FORMAT}: read it with the version that made "
                         "the image")
    complaints = _complaints(lines, name)
    ends = matches and matches[-1]["content"].split()[0] == "end"
    if not ends:
        complaints.append(f"{name}: the sheet's last line is missing ('sheet NN end ...')")
    if complaints:
        raise SheetError("\n".join(complaints))
    checks = "".join(match["check"].lower() for match in matches[:-1])
    if _after(matches[-1]["content"].split(), "all").lower() != f"{check_of(checks):04x}":
        raise SheetError(f"{name}: each line is as a machine printed it, but they are not of one boot: take all of one photograph")
    sheet = Sheet(lines=[line for _, line in lines])
    for match in matches:
        _take(sheet, match["content"])
    return sheet


def read(path):
    try:
        return parse(path.read_text(encoding="utf-8", errors="replace"), path.name)
    except IsADirectoryError as error:
        raise SheetError(f"{path} is a directory: name a log of the serial line, or a file with the typed sheet") from error


def _cases():
    """Process name -> its case."""
    return {name: case for case in cases.ALL if case.group == cases.MACHINE for name in usb_image.process_names(case)}


def _sum(rows, keys, scale=1):
    return {key: scale * sum(row.numbers[key] for row in rows) for key in keys}


def _error(rows):
    for row in rows:
        if row.numbers["status"]:
            return f"{row.name} ended with status {row.numbers['status']}"
        if row.numbers["mismatches"]:
            return f"{row.numbers['mismatches']} mismatches in {row.name}"
    return ""


def _figure(name, rows, case):
    figure = figures.Figure(cases.MACHINE, name, case.arguments if case else "", error=_error(rows))
    if figure.error:
        return figure
    counts = _sum(rows, COUNTS)
    figure.pes = counts["pes"]
    figure.phases = _sum(rows, figures.PHASES, 1000)
    figure.costs = dict.fromkeys(figures.COSTS, 0) | _sum(rows, EVENTS[1:])
    figure.steps = _sum(rows, EVENTS[:1])["steps"]
    figure.ends = dict.fromkeys(figures.ENDS, 0) | {
        "time-limit": counts["limited"], "system-call": counts["calls"],
        "exception": counts["pes"] - counts["limited"] - counts["calls"]}  # and page budget: no time limit, no call
    return figure


def figures_of(sheet):
    """A Figure for each case, in cycles of the time stamp, as scripts/bench has them in instructions."""
    known, groups = _cases(), {}
    for row in sheet.twice:
        case = known.get(row.name)
        groups.setdefault(case.name if case else row.name, []).append(row)
    return [_figure(name, rows, known.get(rows[0].name)) for name, rows in groups.items()]


def once_of(sheet):
    """Case -> cycles of its program without a second run; only where that ended well."""
    known = _cases()
    return {known[name.removesuffix(usb_image.ONCE)].name: 1000 * numbers["kilocycles"]
            for name, numbers in sheet.once.items()
            if name.removesuffix(usb_image.ONCE) in known and numbers["status"] == 0}
