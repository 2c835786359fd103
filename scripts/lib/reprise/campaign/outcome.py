"""The class of a run with a fault, decided against the golden run: the same without a fault."""

import dataclasses
import re
from dataclasses import dataclass

from .. import machine

NOT_ACTIVATED = "not-activated"
MASKED = "masked"
RECOVERED = "detected-recovered"
EXCEPTION_RECOVERED = "exception-recovered"
STOPPED = "detected-stopped"
CRASH = "crash"
HANG = "hang"
SDC = "sdc"
KERNEL_FAILURE = "kernel-failure"
INJECTOR_FAILED = "injector-failed"
# In the order of reports: from harmless to worst, and last what says nothing of the machine.
ALL = (NOT_ACTIVATED, MASKED, RECOVERED, EXCEPTION_RECOVERED, STOPPED, CRASH, HANG, SDC, KERNEL_FAILURE, INJECTOR_FAILED)
MEANING = {
    NOT_ACTIVATED: "the fault did not strike",
    MASKED: "it struck and nothing came of it",
    RECOVERED: "two runs differed, a restart mended it, the output is right",
    EXCEPTION_RECOVERED: "the same, and one of the runs had ended by an exception that the other did not see",
    STOPPED: "the program was stopped with a diagnosis, and nothing wrong had come out",
    CRASH: "the program ended with another status than it should",
    HANG: "no end",
    SDC: "wrong output, and nothing said so",
    KERNEL_FAILURE: "the machine failed, or its log is not whole",
    INJECTOR_FAILED: "the injector or the emulator failed, so nothing is known of this fault",
}


LOG = "\u2028"  # in an output: lines of the log stood here


@dataclass
class Seen:
    """What was seen of a run."""
    value: int          # what the kernel gave to isa-debug-exit, or None
    hang: bool          # it did not end by itself
    output: str         # what the program printed
    status: int         # the program's; None: the log does not say
    standing: bool      # the program was stopped by a mismatch
    differences: int    # mismatches and restarts; None: the log does not say
    by_exception: int   # mismatches in which a run ended by an exception that the other did not see
    broken: bool        # the kernel said that it is


def seen_from(golden):
    """What was seen of the golden run, from what an injector keeps of it."""
    return Seen(**{each.name: golden[each.name] for each in dataclasses.fields(Seen)})


def begins(output, golden, whole=False):
    """Whether the output is how the golden one begins, or all of it. The log begins a line of its own, so the end of the line
    before it may be the log's or the program's."""
    *interrupted, last = output.split(LOG)
    pattern = "".join(re.escape(piece.removesuffix("\n")) + "\n?" for piece in interrupted) + re.escape(last)
    return bool((re.fullmatch if whole else re.match)(pattern, golden.replace(LOG, "")))


def classify(seen, golden):
    """The class of a run in which a fault has struck. `golden` is a Seen, too."""
    if seen.hang:
        return HANG
    programs_ended = seen.value in (machine.CLEAN, machine.PROGRAM_FAILED, machine.MISMATCH_STANDING)
    if seen.broken or not programs_ended or seen.status is None or seen.differences is None:
        return KERNEL_FAILURE
    if seen.standing:
        return STOPPED if begins(seen.output, golden.output) else SDC
    if seen.status != golden.status:
        return CRASH
    if not begins(seen.output, golden.output, whole=True):
        return SDC
    if seen.value != golden.value:  # another process was given up
        return STOPPED
    if seen.differences == 0:
        return MASKED
    return EXCEPTION_RECOVERED if seen.by_exception else RECOVERED
