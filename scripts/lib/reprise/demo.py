"""The demo of scripts/run without arguments: unmodified programs run hardened at the same time. A
bit flips in one of them, and nobody outside sees it."""

import hashlib
import tempfile
from pathlib import Path

from . import image, machine, tree
from .archive import Archive

BUSYBOX = Path("/bin/busybox")
# The stack pointer matters in every PE, and every Linux program is past its 13th before it is done.
VICTIM, PE, RUN, REGISTER, BIT = "digest", 13, 1, "rsp", 3
AWK = "{ sum += $2 } END { print \"awk: the numbers of all lines sum to \" sum }"
NATIVE = [["pages", "10", "100"], ["vectors"]]


def contents(arguments):
    """Two unmodified Linux programs, one of which gives a digest that anyone can check, and two
    native ones: they modify pages and keep vector registers over many short elements."""
    text = b"".join(b"line %d of a file that only the archive holds\n" % n for n in range(2000))
    archive = Archive()
    archive.add_bytes("data/lines", text)
    programs = [image.Program(BUSYBOX, ["sha256sum", "/data/lines"], VICTIM),
                image.Program(BUSYBOX, ["awk", AWK, "/data/lines"], "awk")]
    native = tree.native_programs()
    programs += [image.Program(native[argv[0]], argv) for argv in NATIVE]
    flip = f"inject={VICTIM}:{PE}:{RUN}:{REGISTER}:{BIT}"
    return image.Contents(programs, archive, f"{flip} {arguments}"), hashlib.sha256(text).hexdigest()


def run(settings, arguments, show):
    """Boots the demo and judges it. Returns the script's exit status."""
    what, digest = contents(arguments)
    names = ", ".join(program.name for program in what.programs)
    tree.say(f"the demo: {names} at once, each processing element run twice; bit {BIT} of {REGISTER} "
             f"flips in {VICTIM}")
    with tempfile.TemporaryDirectory(prefix="reprise-demo-") as scratch:
        iso = Path(scratch) / "demo.iso"
        image.write_image(what, iso)
        outcome = machine.run(iso, settings, show)
    flips = [event.get("outcome") for event in outcome.events("flip")]
    if outcome.value == machine.CLEAN and digest in outcome.program_output() and flips == ["caught"]:
        tree.say(f"{len(what.programs)} programs ran; the flip was caught and undone; the digest is "
                 f"right; {outcome.seconds:.0f} seconds")
        return 0
    tree.say(f"the demo did not go as it should: flips {flips or 'none'}, QEMU's exit status "
             f"{outcome.status}")
    return 1
