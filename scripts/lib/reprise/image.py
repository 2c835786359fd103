"""A bootable image: kernel, init, personality, archive and programs, started by GRUB.

One image for BIOS and UEFI, on a CD as on a USB stick. GRUB hands each module a string that says
what it is for (user/init/settings.hpp).
"""

import re
import shutil
import string
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from . import tree

# What GRUB needs beyond its core to find and start the kernel, on both kinds of firmware.
GRUB_MODULES = ("multiboot2 normal configfile iso9660 part_gpt part_msdos fat search "
                "search_fs_file all_video video_fb gfxterm test echo")
PLAIN = frozenset(string.ascii_letters + string.digits + "_-+=.,:/@%^")
NAME_CLASH = re.compile(r"[^!-~]|[,:=\"'\\]")


@dataclass
class Program:
    path: Path
    argv: list
    name: str = ""  # of the process, in the log and in injections; default: the file's name

    def __post_init__(self):
        self.path = Path(self.path)
        if not self.name:
            self.name = NAME_CLASH.sub("-", self.path.name)[:31] or "program"


@dataclass
class Contents:
    """All that goes into an image."""
    programs: list = field(default_factory=list)
    archive: object = None       # Archive, or a file that stands for one
    arguments: str = ""          # kernel command line
    kernel: Path = None          # default: the build tree's
    init: Path = None            # default: the build tree's, when there is one
    personality: Path = None     # likewise
    modules: list = field(default_factory=list)  # (file, string) as they are: for tests
    drivers: tuple = ("clock", "screen", "terminal")  # those of them that the build made


def boot_word(text):
    """One word as the kernel reads it back, with any bytes in it: GRUB leaves \\xHH alone."""
    if text == "":
        return r"\x00"
    data = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if chr(byte) in PLAIN else rf"\x{byte:02x}" for byte in data)


def _grub_word(text):
    """A word quoted for GRUB's own command language."""
    return "'" + text.replace("'", "'\\''") + "'"


def _distinct_names(contents):
    """Gives programs of the same name, or of a driver's, numbers: init takes a name once."""
    taken = {"init", *contents.drivers}
    for program in contents.programs:
        name, number = program.name, 1
        while program.name in taken:
            number += 1
            program.name = f"{name[:28]}-{number}"
        taken.add(program.name)


def _module_lines(contents, boot):
    """Copies the modules to `boot` and returns GRUB's line for each."""
    lines = []

    def add(source, words):
        file = f"module-{len(lines)}"
        shutil.copyfile(source, boot / file)
        lines.append(" ".join([f"module2 /boot/{file}", *map(_grub_word, words)]))

    for file, role in ((contents.init or tree.init(), "init"),
                       (contents.personality or tree.personality(), "personality")):
        if file.exists():
            add(file, [role])
    if contents.archive is not None:
        source = contents.archive
        if not isinstance(source, (str, Path)):
            source = boot.parent / "archive.cpio"
            contents.archive.write(source)
        add(source, ["archive"])
    _distinct_names(contents)
    for program in contents.programs:
        add(program.path, [f"program={program.name}", *map(boot_word, program.argv)])
    native = tree.native_programs()
    for name in contents.drivers:  # last, so that programs keep their numbers
        if name in native and contents.programs:
            add(native[name], [f"driver={name}"])
    for source, text in contents.modules:
        add(source, text.split(" ") if text else [])
    return lines


def _copy_kernel(kernel, target):
    """Without what only a debugger reads: GRUB would read all of it, 4.6 MiB of 4.9, by way of the firmware."""
    made = subprocess.run(["objcopy", "--strip-debug", str(kernel), str(target)],
                          capture_output=True, text=True, errors="replace")
    if made.returncode != 0:
        raise tree.BuildError(f"objcopy failed:\n{made.stderr}")


def write_image(contents, path):
    """Makes the ISO file `path`."""
    with tempfile.TemporaryDirectory(prefix="reprise-image-") as scratch:
        root = Path(scratch) / "root"
        boot = root / "boot"
        (boot / "grub").mkdir(parents=True)
        _copy_kernel(contents.kernel or tree.kernel(), boot / "kernel.elf")
        modules = _module_lines(contents, boot)
        arguments = " ".join(map(_grub_word, contents.arguments.split()))
        (boot / "grub" / "grub.cfg").write_text("\n".join([
            "set timeout=0",
            "set gfxpayload=1024x768x32,1024x768,auto",
            "insmod all_video",
            f"multiboot2 /boot/kernel.elf {arguments}",
            *modules,
            "boot",
            ""]), encoding="utf-8", errors="surrogateescape")
        command = ["grub-mkrescue", "-o", str(path), f"--install-modules={GRUB_MODULES}",
                   "--fonts=", "--locales=", "--themes=", str(root)]
        made = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if made.returncode != 0:
            raise tree.BuildError(f"grub-mkrescue failed:\n{made.stderr}")
