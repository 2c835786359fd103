"""Runs programs hardened: puts them into a bootable image and boots it in QEMU. See --help."""

import argparse
import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.argv[0] = "scripts/run"
sys.dont_write_bytecode = True

from reprise import channel, demo, image, machine, timeline, tree  # noqa: E402
from reprise.archive import Archive  # noqa: E402
from reprise.output import Output  # noqa: E402

USAGE, NO_INPUT, MISSING, BUILD, UNEXPECTED = 64, 66, 69, 70, 71
MISMATCH, PANIC, UNFIT, BOOT_ERROR, TIMEOUT = 72, 73, 74, 80, 124
MACHINE_STATUS = {machine.MISMATCH_STANDING: MISMATCH, machine.PANIC: PANIC,
                  machine.MACHINE_UNFIT: UNFIT}

HELP = """\
Boots Reprise in QEMU and runs PROGRAM hardened: each processing element twice, compared, committed.
Without PROGRAM: the demo, four programs at once, with a bit flipped in one of them on purpose.

PROGRAM is a static x86-64 Linux program or a native one; a name without a slash is looked up among
the native programs first, then in PATH. ARGS that name files here are put into the image under the
same names, so that the program finds them.
"""
EPILOG = """\
examples:
  scripts/run                                        the demo
  scripts/run /bin/busybox sha256sum README.md       an unmodified Linux program
  scripts/run --append "inject=busybox:3:1:rax:7" /bin/busybox sha256sum README.md
  scripts/run --trace timeline.json compute          then open the file in ui.perfetto.dev
  scripts/run --root tree --policy classic ./myprogram --verbose
  scripts/run --program "second=/bin/busybox seq 9" /bin/busybox uname -a

exit status: PROGRAM's own (0 to 255), or
  64 wrong usage           66 a file cannot be found or used   69 something is not installed
  70 the build failed      71 the machine ended unexpectedly
  72 a mismatch was left standing        73 kernel panic        74 machine unfit (CPU, memory)
  80+N boot refused, N as in user/loader/error.hpp (its message says why)
  124 time limit of --timeout reached
"""


WITH_VALUE = {"--file", "--root", "--program", "--name", "--memory", "--cpu", "--policy", "--counter",
              "--append", "--qemu", "--timeout", "--iso", "--trace", "--log"}
COUNTERS = ["auto", "pmu", "icount", "landmark"]


class UsageError(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UsageError(USAGE, f"{message} (scripts/run --help)")


def joined(words):
    """`--qemu -s` as `--qemu=-s`: argparse would take the value for an option. And --display alone
    takes no value, so that PROGRAM is not mistaken for one."""
    result, words = [], list(words)
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--display":
            word = "--display=window"
        elif word in WITH_VALUE and words:
            word = f"{word}={words.pop(0)}"
        result.append(word)
        if word == "--":
            break
    return result + words


def counter(text):
    kind, *arguments = text.split(",")
    if kind not in COUNTERS or (arguments and kind != "pmu"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not one of {', '.join(COUNTERS)}; only pmu takes arguments")
    return text


def parse_arguments():
    parser = Parser(
        prog="scripts/run", usage="scripts/run [options] [PROGRAM ARGS...]", description=HELP,
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    add("--file", action="append", default=[], metavar="PATH[=NAME]",
        help="put a file or directory into the archive, under NAME if given; repeatable")
    add("--root", metavar="DIR", help="put all that DIR holds into the archive's root")
    add("--program", action="append", default=[], metavar="'[NAME=]PATH ARGS'",
        help="one more program that runs at the same time; repeatable")
    add("--name", default="", help="PROGRAM's name in the log and in inject= (default: its file's)")
    add("--memory", type=int, default=256, metavar="MIB", help="memory of the machine (default 256)")
    add("--cpu", default="max", metavar="MODEL", help="QEMU's CPU model (default max)")
    add("--uefi", action="store_true", help="boot by UEFI firmware (OVMF) rather than BIOS")
    add("--usb", action="store_true", help="boot from a USB stick rather than a CD")
    add("--policy", choices=["rotate", "classic"], help="how shadow frames are handled")
    add("--counter", type=counter, metavar="KIND", help="what finds the place where the "
        "time limit ended a first run: auto (default), icount, landmark, or pmu, a PMU that a plugin "
        "adds to QEMU 7.2; pmu,delay=500,seed=3: with the plugin's arguments "
        "(tests/pmu_plugin/README.md)")
    add("--append", default="", metavar="'KEY=VALUE ...'", help="more kernel arguments "
        "(docs/running.md)")
    add("--qemu", default="", metavar="'ARGS'", help="more arguments for QEMU, as they are")
    add("--icount", action=argparse.BooleanOptionalAction, default=None,
        help="guest time counts instructions one to one, or is real time (default: counts, so that "
        "runs repeat exactly; under UEFI 32 nanoseconds each)")
    add("--interactive", action="store_true", help="the terminal is the program's stdin "
        "(Ctrl-A X ends QEMU)")
    add("--display", metavar="KIND", help="show the screen in a window; --display=KIND: as QEMU's "
        "-display does (say vnc=:1)")
    add("--gdb", action="store_true", help="wait for a debugger on port 1234; says how to start it")
    add("--timeout", type=float, default=600, metavar="SECONDS",
        help="end the machine after so long (default 600; 0: never)")
    add("--log", metavar="FILE", help="write the machine's log to FILE, not to stderr")
    add("--quiet", action="store_true", help="drop the machine's log")
    add("--trace", metavar="FILE", help="write a timeline of every processing element to FILE, as Trace Event JSON for "
        "ui.perfetto.dev (docs/timeline.md)")
    add("--iso", metavar="FILE", help="write the bootable image to FILE, do not boot it")
    parser.set_defaults(second_serial="")
    return parser.parse_args(joined(sys.argv[1:]))


def find_program(text):
    """The file that a person means by `text`."""
    path = Path(text)
    if "/" not in text and not path.is_file():
        found = tree.native_programs().get(text) or shutil.which(text)
        if not found:
            names = ", ".join(tree.native_programs())
            raise UsageError(NO_INPUT, f"no program {text!r}: give a path, a command in PATH, or "
                             f"one of the native programs: {names}")
        path = Path(found)
    require_file(path, "program")
    return path


def require_file(path, kind):
    if not path.exists():
        raise UsageError(NO_INPUT, f"no such {kind}: {path}")
    if kind == "program" and path.is_dir():
        raise UsageError(NO_INPUT, f"{path} is a directory: name the program's file")
    if not os.access(path, os.R_OK):
        raise UsageError(NO_INPUT, f"cannot read {path}: change its permissions or copy it")


def extra_program(text):
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(USAGE, f"--program {text!r}: {error}") from error
    if not words:
        raise UsageError(USAGE, "--program needs a path: --program '[NAME=]PATH ARGS'")
    name = ""
    if match := re.match(r"([^/=]+)=(.+)", words[0]):
        name, words[0] = match.groups()
    return image.Program(find_program(words[0]), words, name)


def make_archive(options, programs):
    archive = Archive()
    if options.root:
        if not Path(options.root).is_dir():
            raise UsageError(NO_INPUT, f"--root {options.root}: no such directory")
        archive.add_tree(options.root)
    for given in options.file:
        path, name = given, None
        if "=" in given and not Path(given).exists():
            path, name = given.rsplit("=", 1)
        require_file(Path(path), "file")
        archive.add(path, name)
    for argument in (word for program in programs for word in program.argv[1:]):
        if Path(argument).is_file():
            require_file(Path(argument), "file")
            archive.add(argument)
        elif "/" in argument and argument.strip("/.") and Path(argument).is_dir():
            if not options.root and argument not in options.file:
                tree.say(f"{argument} is a directory: --file {argument} puts it into the image")
    return archive if archive else None


def uses_channel(options):
    """Not at a terminal, which is the machine's console; not the demo, whose output a person watches;
    and not an image for other machines."""
    return not options.interactive and not options.iso and bool(options.command or options.program)


def kernel_arguments(options):
    words = []
    if options.policy:
        words.append(f"policy={options.policy}")
    if options.interactive:
        words += ["stdin=console", "env.REPRISE_TTY=1"]
    if options.counter:
        words.append(machine.counter_argument(options.counter))
    if uses_channel(options):
        words.append(channel.ARGUMENT)
    if options.trace:
        words.append(f"timeline={timeline.ARGUMENT}")
    return " ".join([*words, options.append])


def display_kind(wanted):
    if wanted != "window":
        return wanted or "none"
    offered = subprocess.run([machine.QEMU, "-display", "help"], capture_output=True, text=True)
    for kind in ("gtk", "sdl"):
        if kind in offered.stdout.split():
            return kind
    raise UsageError(MISSING, "this QEMU cannot open a window: install the package "
                     "qemu-system-gui, or use --display=vnc=:1 and a VNC viewer")


def debugger(options, contents):
    """Writes GDB's commands and says how to start it."""
    script = tree.build_dir() / "gdb-commands"
    files = [path for path in [tree.personality(), contents.programs[0].path] if path.exists()]
    script.write_text("\n".join([
        f"file {tree.kernel()}",
        *(f"add-symbol-file {path}" for path in files),
        "set confirm off", "set architecture i386:x86-64", "target remote :1234",
        "hbreak reprise::panic_at", ""]), encoding="utf-8")
    options.timeout = 0
    tree.say(f"waiting for a debugger; in another terminal: gdb -x {script}")
    return ["-S", "-gdb", "tcp::1234"]


def settings_of(options):
    # GRUB is done much sooner from a virtio disk, and without the 8254 timer that it waits for.
    quick = not options.uefi and not options.usb
    return machine.Settings(
        cpu=options.cpu, memory=options.memory, uefi=options.uefi, usb=options.usb, virtio=quick, pit=not quick,
        icount=options.icount, counter=options.counter or "", interactive=options.interactive,
        display=display_kind(options.display),
        second_serial=options.second_serial,
        timeout=0 if options.interactive else options.timeout, extra=shlex.split(options.qemu))


def status_of(outcome, options, programs):
    """The script's exit status, and a word about it where the console says none."""
    if outcome.timed_out:
        tree.say(f"still running after {options.timeout:g} seconds, ended (--timeout sets the limit)")
        return TIMEOUT
    if outcome.value is None:
        tree.say(f"the machine ended unexpectedly (QEMU's exit status {outcome.status}); the end of "
                 "what came over the serial line:")
        print(outcome.raw[-2000:], file=sys.stderr)
        return UNEXPECTED
    if outcome.value >= machine.FIRST_BOOT_ERROR:
        return BOOT_ERROR + outcome.value - machine.FIRST_BOOT_ERROR
    if outcome.value in MACHINE_STATUS:
        return MACHINE_STATUS[outcome.value]
    event = outcome.exit_event(programs[0].name)
    if event is None:
        tree.say(f"the log has no exit line of {programs[0].name}")
        return UNEXPECTED
    return event.number("status")


def booted(options, output, hearing):
    """Builds and boots; `hearing` makes of a function for the console's text another one. Returns the
    exit status."""
    tree.build(target="image_parts", say=tree.say)
    if options.counter and options.counter.startswith("pmu"):
        tree.build(target="pmu_plugin")
    if not options.command and not options.program:
        with output.console(options.interactive) as show:
            return demo.run(settings_of(options), kernel_arguments(options), hearing(show))
    programs = [extra_program(text) for text in options.program]
    if options.command:
        path = find_program(options.command[0])
        programs.insert(0, image.Program(path, options.command, options.name))
    contents = image.Contents(programs, make_archive(options, programs), kernel_arguments(options))
    if uses_channel(options):
        contents.drivers = (*contents.drivers, channel.DRIVER)
    if options.iso:
        image.write_image(contents, options.iso)
        tree.say(f"wrote {options.iso}")
        return 0
    settings = settings_of(options)
    if options.gdb:
        settings.extra += debugger(options, contents)
        settings.timeout = 0
    with tempfile.TemporaryDirectory(prefix="reprise-run-") as scratch, contextlib.ExitStack() as stack:
        iso = Path(scratch) / "reprise.iso"
        image.write_image(contents, iso)
        if uses_channel(options):
            settings.channel = channel.Channel(scratch, channel.program_input(), output.frame)
            stack.callback(settings.channel.close)
            show = output.log
        else:
            show = stack.enter_context(output.console(options.interactive))
        outcome = machine.run(iso, settings, hearing(show))
    return status_of(outcome, options, programs)


def run(options):
    with Output(options.log or (None if options.quiet else "")) as output:
        return traced(options, output)


def traced(options, output):
    if not options.trace:
        return booted(options, output, lambda show: show)
    if options.iso:
        raise UsageError(USAGE, "--trace needs a machine that runs, and --iso boots none")
    command = shlex.join([sys.argv[0], *sys.argv[1:]])
    with timeline.Recording(options.trace, timeline.clock_of(settings_of(options)), command) as recording:
        options.second_serial = recording.port
        status = booted(options, output, recording.listening)
    tree.say(recording.summary)
    return status


def main():
    try:
        return run(parse_arguments())
    except UsageError as error:
        tree.say(str(error))
        return error.status
    except timeline.TimelineError as error:
        tree.say(str(error))
        return NO_INPUT
    except machine.MachineError as error:
        tree.say(str(error))
        return MISSING
    except tree.BuildError as error:
        tree.say(str(error))
        return BUILD
    except BrokenPipeError:  # nobody reads on: ends as any command does then
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    except OSError as error:
        tree.say(f"{error.filename or ''}: {error.strerror}")
        return NO_INPUT
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
