"""What an image may hold. Checked before a boot: GRUB drops what does not fit into memory and starts the
rest, hangs at a command line that is too long, and tells neither."""

from pathlib import Path

from . import tree

MODULES = 64                          # kernel/abi/init.hpp
ARGUMENT_BYTES, ARGUMENTS = 4096, 128  # user/init/settings.hpp
WORDS, WORD_BYTES, STRING_BYTES = 128, 16384, 32768  # user/init/programs.cpp
OWN_MEMORY = 16 << 20  # what the kernel and the drivers need at the least; GRUB, which needs more, says so itself (image.py)


class LimitError(Exception):
    """Something is too large or too many; the text says what, and what would do."""


def _size(number):
    return f"{-(-number // (1 << 20))} MiB"


def _check_words(program, environment):
    words = [f"program={program.name}", *program.argv]
    sizes = [len(word.encode("utf-8", "surrogateescape")) for word in words]
    if len(words) > WORDS:
        raise LimitError(f"{program.name} has {len(program.argv) - 1} arguments, and a program can have {WORDS - 2}: "
                         "give it a file of them, such as a script or a list")
    if sum(sizes) > WORD_BYTES or sum(sizes[1:]) + len(sizes) + environment > STRING_BYTES:
        raise LimitError(f"the arguments of {program.name} have {sum(sizes[1:])} bytes, and {WORD_BYTES} fit, with the name: "
                         "give it a file of them")


def check(contents, archive_bytes, memory):
    """Raises LimitError when the image cannot be booted in `memory` MiB."""
    fixed = 2 + (contents.archive is not None) + len(contents.drivers)  # init and the personality
    if len(contents.programs) > MODULES - fixed:
        raise LimitError(f"{len(contents.programs)} programs are too many: {MODULES - fixed} at most fit beside the machine's "
                         "own")
    if len(contents.arguments) > ARGUMENT_BYTES or len(contents.arguments.split()) > ARGUMENTS:
        raise LimitError(f"the kernel's command line has {len(contents.arguments)} characters and "
                         f"{len(contents.arguments.split())} words, and {ARGUMENT_BYTES} characters and {ARGUMENTS} words are the "
                         "most: shorten --append")
    environment = sum(len(word) for word in contents.arguments.split() if word.startswith("env."))
    for program in contents.programs:
        _check_words(program, environment)
    files = [(f"the program {program.name}", program.path.stat().st_size) for program in contents.programs]
    files.append(("the archive of files", archive_bytes))
    total = sum(size for _, size in files) + sum(
        path.stat().st_size for path in (tree.init(), tree.personality()) if path.exists())
    if total + OWN_MEMORY > memory << 20:
        name, largest = max(files, key=lambda file: file[1])
        raise LimitError(f"programs and files of {_size(total)} do not fit into a machine of {memory} MiB ({name} has "
                         f"{_size(largest)}): --memory {-(-(2 * total + OWN_MEMORY) // (1 << 20))} gives it more")
