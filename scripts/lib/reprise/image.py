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
                "search_fs_file all_video video_fb gfxterm test echo serial terminal halt")
NOT_LOADED = "GRUB could not load: "  # what it says then, and which module
PLAIN = frozenset(string.ascii_letters + string.digits + "_-+=.,:/@%^")
NAME_CLASH = re.compile(r"[^!-~]|[,:=\"'\\]")


@dataclass
class Program:
    path: Path
    argv: list
    name: str = ""  # of the process, in the log and in injections; default: the file's name
    stage: tuple = None  # it begins a stage with these settings; None: it starts with those before it

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


def _grub_command(command, words, what):
    """The lines for a command that loads `what`. By itself GRUB goes on without what it could not load, most
    often as there is no memory for it: these say so on the serial line and end the machine. GRUB hangs at a
    word of some 8,000 characters, so a long one is put together from variables."""
    piece, lines, short = 4000, [], []
    for word in words:
        if len(word) <= piece:
            short.append(_grub_word(word))
            continue
        names = [f"piece{len(lines) + number}" for number in range(-(-len(word) // piece))]
        lines += [f"set {name}={_grub_word(word[number * piece:(number + 1) * piece])}" for number, name in enumerate(names)]
        short.append('"' + "".join(f"${{{name}}}" for name in names) + '"')
    return [*lines, f"if ! {' '.join([command, *short])}; then give_up {_grub_word(what)}; fi"]


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
    lines, files = [], {}

    def role_of(words):
        role = next((word for word in words if word.startswith("program=")), words[0] if words else "a module")
        return re.sub(r"[^!-~]|['\\]", "-", role)[:40]

    def add(source, words):
        file = files.setdefault(str(source), f"module-{len(files)}")  # several programs may share one
        if not (boot / file).exists():
            shutil.copyfile(source, boot / file)
        lines.extend(_grub_command(f"module2 /boot/{file}", words, role_of(words)))

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
        begin = [] if program.stage is None else ["then", *program.stage]
        add(program.path, [*begin, f"program={program.name}", *map(boot_word, program.argv)])
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
        (boot / "grub" / "grub.cfg").write_text("\n".join([
            "set timeout=0",
            "set gfxpayload=1024x768x32,1024x768,auto",
            "insmod all_video",
            "function give_up {",
            "  insmod serial",
            "  serial --unit=0 --speed=115200",
            "  terminal_output serial",
            f'  echo "{NOT_LOADED}$1"',
            "  halt",
            "}",
            *_grub_command("multiboot2 /boot/kernel.elf", contents.arguments.split(), "the kernel"),
            *modules,
            "boot",
            ""]), encoding="utf-8", errors="surrogateescape")
        command = ["grub-mkrescue", "-o", str(path), f"--install-modules={GRUB_MODULES}",
                   "--fonts=", "--locales=", "--themes=", str(root)]
        made = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if made.returncode != 0:
            raise tree.BuildError(f"grub-mkrescue failed:\n{made.stderr}")
