"""`scripts/bench --image`: one ISO that runs the workloads by itself on a real machine, one after the other, and prints a sheet
of figures (report=sheet). sheet.py reads it."""

from .. import image
from ..archive import Archive
from . import cases, figures

ONCE = ".1"           # behind the name of a program that runs once, for comparison
LONGEST = 600         # seconds; what has not ended by then is ended, and the sheet is printed all the same
DRIVERS = image.Contents().drivers


def process_names(case):
    """Of each of the case's programs."""
    return [case.process] if len(case.programs) == 1 else [argv[1] for argv in case.programs]


def _programs(case):
    """The case's programs: they begin a stage, and if wanted the same once more, not hardened."""
    made = []
    for suffix in ("", ONCE) if case.once_too else ("",):
        stage = tuple(case.arguments.split())
        for argv, name in zip(case.programs, process_names(case), strict=True):
            made.append(image.Program(figures.path_of(argv[0]), argv, name + suffix, stage))
            stage = None
    return made


def contents(chosen):
    archive, programs = Archive(), []
    for case in chosen:
        programs += _programs(case)
        for name, content in case.files.items():
            archive.add_bytes(name, content)
    hardened = [program.name for program in programs if not program.name.endswith(ONCE)]
    arguments = f"report=sheet stop.after={LONGEST} harden={','.join([*hardened, *DRIVERS])}"
    return image.Contents(programs, archive if archive else None, arguments)


def write(chosen, path):
    image.write_image(contents(chosen), path)
