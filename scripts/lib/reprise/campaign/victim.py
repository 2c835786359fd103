"""A program in an image, booted again and again; what is seen of each run."""

import dataclasses
import itertools
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from .. import events, image, machine, tree
from ..archive import Archive
from . import CampaignError
from .outcome import LOG, Seen

ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
EXECUTABLE, LOAD = 2, 1
PAGE, CODE_BYTES = 4096, 16
# The screen is left out: drawing the log takes longer than a short program.
ARGUMENTS = "report=short console=serial"
NUMBERS = itertools.count()  # for names of files: series that run at the same time share folders
LINE = re.compile(r"[^\n]*\n|[^\n]+")
CLOCK = "2024-02-29T12:00:00"
TRIES = 20
SECONDS = 600       # only ends a machine whose instructions do not get on at all
SECONDS_ON = 120    # the same, where firmware and boot loader have run already


def path_of(word):
    """A program by its path, or by its name in the build tree."""
    path = Path(word) if "/" in word else tree.native_programs().get(word) or tree.linux_program(word)
    if not path.is_file():
        raise CampaignError(f"no program {word}")
    return path


def content_of(given):
    """A file of the description: a path from the top of the tree, or a text and how often it stands there."""
    if isinstance(given, str):
        return (tree.TOP / given).read_bytes()
    return given["text"].encode() * given.get("times", 1)


@dataclass(frozen=True)
class Segment:
    offset: int    # in the file
    address: int   # virtual
    physical: int
    in_file: int   # bytes
    in_memory: int


def segments_of(content):
    """What of an ELF file is loaded."""
    header = ELF_HEADER.unpack_from(content)
    table, count = header[5], header[10]
    found = (PROGRAM_HEADER.unpack_from(content, table + number * PROGRAM_HEADER.size) for number in range(count))
    return [Segment(*fields[2:7]) for fields in found if fields[0] == LOAD]


def entry_of(path):
    """Where the program's first instruction stands, and the bytes there."""
    content = path.read_bytes()
    header = ELF_HEADER.unpack_from(content)
    if header[1] != EXECUTABLE:
        raise CampaignError(f"{path}: its addresses are not fixed (a static program that is no PIE has fixed ones)")
    entry = header[4]
    for segment in segments_of(content):
        place = entry - segment.address
        if 0 <= place < segment.in_file:
            count = min(CODE_BYTES, segment.in_file - place, PAGE - entry % PAGE)
            return entry, content[segment.offset + place:][:count]
    raise CampaignError(f"{path}: its entry is in no segment")


def seen_of(outcome, process, hang=False):
    """An Outcome of reprise.machine as a Seen."""
    ended, shutdown = outcome.exit_event(process), outcome.events("shutdown")
    try:
        differences = shutdown[-1].number("mismatches") + shutdown[-1].number("restarts") if shutdown else None
        status = ended.number("status") if ended else None
        by_exception = sum(event.number("by_exception") for event in outcome.events("verdicts"))
        standing = bool(ended) and ended["mismatch"] == "standing"
    except (KeyError, ValueError):  # a line of the log is damaged
        differences, status, by_exception, standing = None, None, 0, False
    broken = bool(outcome.events("panic") or outcome.events("trap"))
    return Seen(outcome.value, hang or outcome.timed_out, output_of(outcome), status, standing, differences, by_exception, broken)


def restarts_of(outcome):
    """How often processing elements were restarted, and what differed between their two runs; nothing when the log does not say."""
    try:
        told = {"restarts": event.number("restarts") for event in outcome.events("shutdown")}
        for event in outcome.events("verdicts"):
            for way in ("by_end", "by_registers", "by_pages", "by_exception"):
                told[way] = told.get(way, 0) + event.number(way)
    except (KeyError, ValueError):  # a line of the log is damaged
        return {}
    return {key: count for key, count in told.items() if count}


def output_of(outcome):
    """What the program printed, a character for each byte: what is no text differs, too. LOG stands where the log did."""
    console = events.from_kernel_on(outcome.data.decode("latin-1").replace("\r\n", "\n"))
    text = "".join(line if events.is_program_line(line) else LOG for line in LINE.findall(console))
    return re.sub(f"{LOG}+", LOG, text).removeprefix(LOG)


class Victim:
    def __init__(self, program, hardened, scratch):
        self.path = path_of(program.command[0])
        self.program = image.Program(self.path, program.command)
        self._given, self._scratch, self._plain, self._said = program, Path(scratch), None, b""
        self._state = None  # where boots of the plain image go on from
        self._arguments = " ".join(filter(None, [ARGUMENTS, program.arguments, "" if hardened else "harden=none"]))

    @property
    def process(self):
        return self.program.name

    @property
    def memory(self):
        return self._given.memory

    def image(self, name, arguments=""):
        """Makes the image with further boot arguments; its path."""
        archive = Archive()
        for name_there, given in self._given.files.items():
            archive.add_bytes(name_there, content_of(given))
        iso = self._scratch / f"{name}.iso"
        image.write_image(image.Contents([self.program], archive or None, f"{self._arguments} {arguments}".strip()), iso)
        return iso

    def plain_image(self):
        """The image without further arguments, made once. Its first caller must be alone."""
        if self._plain is None:
            self._plain = self.image("plain")
        return self._plain

    def boot(self, iso, extra=(), **settings):
        """One run, in which guest time counts instructions."""
        return machine.run(iso, self._settings(extra, **settings))

    def start(self, extra, is_early):
        """Keeps the state of the plain image's machine from which boot_on() goes on. A busy host may stop it too late, and then
        is_early() is false: it tries some times. Its caller must be alone."""
        for _ in range(TRIES):
            state = self._scratch / "state"
            said = machine.keep_state(self.plain_image(), self._settings(extra), state)
            if said is not None and is_early():
                self._state, self._said = state, said
                return

    def forget_start(self):
        self._state = None

    @property
    def goes_on(self):
        """Whether boot_on() goes on from a kept state."""
        return self._state is not None

    def boot_on(self, extra):
        """As boot() of the plain image, and in a third of the time where start() has kept a state."""
        if not self.goes_on:
            return self.boot(self.plain_image(), extra)
        outcome = machine.run(self._plain, self._settings(extra, state=self._state, timeout=SECONDS_ON))
        data = self._said + outcome.data
        raw = data.decode("utf-8", "replace")
        return dataclasses.replace(outcome, data=data, raw=raw, console=events.from_kernel_on(events.clean(raw)))

    def _settings(self, extra, **settings):
        return machine.Settings(**{"memory": self.memory, "icount": True, "clock": CLOCK, "pit": False, "virtio": True,
                                   "timeout": SECONDS, "extra": list(extra), **settings})
