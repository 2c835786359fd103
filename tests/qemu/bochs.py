"""An image on Bochs, a second emulator with SVM. It sets the resume flag as a processor does, minds the interrupt shadow at
VMRUN, and keeps translations from one VMRUN to the next; docs/hardware.md has its faults."""

import shutil
import subprocess
import time
from pathlib import Path

from boot import machine  # noqa: F401  (sets the path of the scripts' library)
from reprise import events

BOCHS = "bochs"
FIRMWARE = Path("/usr/share/bochs/BIOS-bochs-latest"), Path("/usr/share/vgabios/vgabios.bin")
MEMORY = 192     # MiB
PATIENCE = 600   # seconds; it only ends a hang
PAUSE = 0.1      # seconds between two looks at the serial line
SETTINGS = """\
megs: {memory}
cpu: model={cpu}, count=1, ips=100000000, reset_on_triple_fault=0
romimage: file={bios}
vgaromimage: file={vga}
vga: extension=none
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
display_library: rfb, options="timeout=0"
com1: enabled=1, mode=file, dev={folder}/serial
log: {folder}/log
error: action=ignore
panic: action=report
"""


def is_there():
    return shutil.which(BOCHS) is not None and all(file.exists() for file in FIRMWARE)


def run(iso, folder, end, cpu="ryzen"):
    """Boots the image until a whole line that contains `end` came over the serial line; returns all that came, from the
    first line of the kernel on when the kernel is Reprise. Bochs does not end by itself when its machine halts."""
    folder = Path(folder)
    serial, commands, settings = folder / "serial", folder / "commands", folder / "bochsrc"
    serial.unlink(missing_ok=True)
    commands.write_text("c\n")  # to its debugger: go on
    settings.write_text(SETTINGS.format(memory=MEMORY, cpu=cpu, bios=FIRMWARE[0], vga=FIRMWARE[1], iso=iso, folder=folder))
    line = ["timeout", "--kill-after=5", str(PATIENCE), BOCHS, "-q", "-f", str(settings), "-rc", str(commands)]
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(line, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None and not _has_said(serial, end):
                time.sleep(PAUSE)
        finally:
            process.terminate()
            process.wait()
    return events.clean(_said(serial).decode("utf-8", "replace")).replace("\r\n", "\n")


def _said(serial):
    return serial.read_bytes() if serial.exists() else b""


def _has_said(serial, end):
    return end in _said(serial).rpartition(b"\n")[0]
