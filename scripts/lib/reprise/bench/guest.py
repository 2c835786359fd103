"""`scripts/bench --guest`: what it costs to boot Debian's kernel as a guest whose every PE runs twice. Instructions
(-icount), so the figures repeat to the digit with the same kernel and initramfs."""

import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import guest, image, machine, tree
from .figures import PHASES

sys.path.insert(0, str(tree.TOP / "tests" / "qemu"))

import linux_guest  # noqa: E402

FORMAT = 1
CLOCK = "2024-02-29T12:00:00"
WORDS = "quiet loglevel=1"
SCRIPTS = {"boot to a shell": "true\n", "boot and script": linux_guest.SCRIPT}
ENDS = ("exit", "exception", "page-budget", "time-limit")


class FailedBoot(Exception):
    """A boot gave no figures; the text says why."""


@dataclass
class Row:
    """Of one script. PEs by process; times in instructions."""
    name: str
    pes: dict
    ends: dict      # what ended the guest's PEs -> PEs
    total: int      # of the guest's PEs
    second_run: int
    hardened: int   # from the kernel's entry to the machine's end
    once: int       # the same with harden=none

    @property
    def overhead(self):
        return self.total / self.second_run

    @property
    def ratio(self):
        return self.hardened / self.once


def _boot(given, argument, scratch):
    iso = scratch / "guest.iso"
    image.write_image(image.Contents([given.program()], given.archive(), f"{guest.GRANT} {argument}".strip()), iso)
    outcome = machine.run(iso, machine.Settings(cpu=guest.CPU, memory=max(256, given.machine_memory()), pit=False, virtio=True,
                                                clock=CLOCK, timeout=7200))
    mismatches = sum(event.number("mismatches") for event in outcome.events("verdicts"))
    if outcome.value != machine.CLEAN or mismatches:
        raise FailedBoot(f"the boot did not end well, {mismatches} mismatches:\n{outcome.console[-2000:]}")
    return outcome


def _measure(name, script, scratch):
    initrd = scratch / "initrd"
    linux_guest.write_initramfs(initrd, script)
    given = guest.Guest(linux_guest.kernel(), initrd, words=WORDS)
    hardened, once = _boot(given, "", scratch), _boot(given, "harden=none", scratch)
    if linux_guest.script_output(hardened.program_output()) != linux_guest.script_output(once.program_output()):
        raise FailedBoot(f"{name}: hardened it printed something else than once")
    events = {kind: {event["process"]: event for event in hardened.events(kind)} for kind in ("verdicts", "ends", "times")}
    times = events["times"]["guest"]
    return Row(name, pes={process: event.number("pes") for process, event in events["verdicts"].items()},
               ends={end: events["ends"]["guest"].number(end) for end in ENDS},
               total=sum(times.number(f"{phase}_ns") for phase in PHASES), second_run=times.number("second_run_ns"),
               hardened=hardened.events("shutdown")[0].number("time_ns"), once=once.events("shutdown")[0].number("time_ns"))


def measure(folder):
    """Boots each script hardened and once. Returns Rows, and writes them to guest.json."""
    with tempfile.TemporaryDirectory(prefix="reprise-bench-") as scratch:
        rows = [_measure(name, script, Path(scratch)) for name, script in SCRIPTS.items()]
    folder.mkdir(parents=True, exist_ok=True)
    content = {"format": FORMAT, "kernel": linux_guest.kernel().name, "figures": [asdict(row) for row in rows]}
    (folder / "guest.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return rows


def table(rows):
    """Lines of Markdown."""
    lines = [f"| {linux_guest.kernel().name} | {' | '.join(row.name for row in rows)} |", "|---" * (len(rows) + 1) + "|"]

    def add(what, figure):
        lines.append(f"| {what} | {' | '.join(map(figure, rows))} |")

    add("PEs of the guest", lambda row: f"{row.pes['guest']:,}")
    for end in ENDS:
        add(f"of them ended by: {end}", lambda row, end=end: f"{row.ends[end]:,}")
    add("PEs of the monitor", lambda row: f"{row.pes['monitor']:,}")
    add("guest: total, in second runs", lambda row: f"{row.overhead:.2f}")
    add("machine's time, hardened", lambda row: f"{row.hardened / 1e9:.2f} s")
    add("machine's time, `harden=none`", lambda row: f"{row.once / 1e9:.2f} s")
    add("ratio", lambda row: f"{row.ratio:.2f}")
    return lines
