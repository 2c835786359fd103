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

from reprise import channel, demo, events, guest, image, limits, machine, returned, timeline, tree  # noqa: E402
from reprise.archive import Archive  # noqa: E402
from reprise.output import Output  # noqa: E402

USAGE, NO_INPUT, MISSING, BUILD, UNEXPECTED = 64, 66, 69, 70, 71
BOOT_ERROR, TIMEOUT, KEYBOARD = 80, 124, 130
MACHINE_STATUS = {machine.MISMATCH_STANDING: (72, "a mismatch was left standing"),
                  machine.PANIC: (73, "the kernel found itself broken"),
                  machine.MACHINE_UNFIT: (74, "the machine is unfit")}

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
  scripts/run --guest /boot/vmlinuz --initrd initrd.gz --interactive     a kernel, hardened (docs/guests.md)

exit status: PROGRAM's own (0 to 255), or the guest's (docs/guests.md), or one of this script's own. With one of its own the last line on
stderr says `exit status N is scripts/run's own`, whatever --quiet says; without that line it is the program's.
  64 wrong usage, or too much for the machine              66 a file cannot be found or used
  69 something is not installed          70 the build failed    71 the machine ended unexpectedly
  72 a mismatch was left standing        73 kernel panic        74 machine unfit (CPU, memory)
  80+N boot refused (100: the CPU cannot run guests), N as in user/loader/error.hpp (the log says why)
  124 time limit of --timeout reached    130 ended from the keyboard (Ctrl-C, Ctrl-A X)
When nobody reads its output any more, or at SIGTERM or SIGHUP, this script ends by that signal.
"""


WITH_VALUE = {"--file", "--root", "--program", "--name", "--memory", "--cpu", "--policy", "--counter",
              "--append", "--qemu", "--timeout", "--iso", "--trace", "--log", "--out", "--out-root",
              "--guest", "--initrd", "--append-guest", "--guest-memory", "--disk"}
COUNTERS = ["auto", "pmu", "icount", "landmark"]


class OwnStatus(Exception):
    """This script ends with a status of its own, not with the program's."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Signalled(BaseException):
    """A signal asks this script to end. As an exception it takes the machine and the scratch folder along."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise OwnStatus(USAGE, f"{message} (scripts/run --help)")


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


def parse_arguments(words=None):
    parser = Parser(
        prog="scripts/run", usage="scripts/run [options] [PROGRAM ARGS...]", description=HELP,
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    add("--file", action="append", default=[], metavar="PATH[=NAME]",
        help="put a file or directory into the archive, under NAME if given; repeatable")
    add("--root", metavar="DIR", help="put all that DIR holds into the archive's root")
    add("--out", action="append", default=[], metavar="NAME[=PATH]",
        help="at PROGRAM's end, write the file or directory NAME that it left to PATH (default: NAME); repeatable")
    add("--out-root", metavar="DIR", help="write all files that PROGRAM made or changed below DIR")
    add("--program", action="append", default=[], metavar="'[NAME=]PATH ARGS'",
        help="one more program that runs at the same time; repeatable")
    add("--name", default="", help="PROGRAM's name in the log and in inject= (default: its file's)")
    add("--guest", metavar="KERNEL", help="run a kernel hardened, in place of PROGRAM: a Linux kernel (bzImage)")
    add("--initrd", metavar="FILE", help="the guest's initrd")
    add("--append-guest", metavar="'WORDS'", help="words for the guest's command line, behind its own ones: "
        f"{guest.COMMAND_LINE}")
    add("--guest-memory", type=int, metavar="MIB", help=f"memory of the guest (default {guest.MEMORY})")
    add("--disk", metavar="FILE", help="the guest's disk (virtio); FILE stays as it is")
    add("--memory", type=int, metavar="MIB", help="memory of the machine (default 256; with --guest what that needs)")
    add("--cpu", metavar="MODEL", help=f"QEMU's CPU model (default max; with --guest {guest.CPU})")
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
    return parser.parse_args(joined(sys.argv[1:] if words is None else words))


def is_file(text):
    """Whether an argument names a file; one that is too long to be a name names none."""
    try:
        return Path(text).is_file()
    except OSError:
        return False


def is_directory(text):
    try:
        return Path(text).is_dir()
    except OSError:
        return False


def find_program(text):
    """The file that a person means by `text`."""
    path = Path(text)
    if "/" not in text and not is_file(text):
        found = tree.native_programs().get(text) or shutil.which(text)
        if not found:
            names = ", ".join(tree.native_programs())
            raise OwnStatus(NO_INPUT, f"no program {text!r}: give a path, a command in PATH, or "
                             f"one of the native programs: {names}")
        path = Path(found)
    require_file(path, "program")
    return path


def require_file(path, kind):
    if not path.exists():
        raise OwnStatus(NO_INPUT, f"no such {kind}: {path}")
    if kind == "program" and path.is_dir():
        raise OwnStatus(NO_INPUT, f"{path} is a directory: name the program's file")
    if not os.access(path, os.R_OK):
        raise OwnStatus(NO_INPUT, f"cannot read {path}: change its permissions or copy it")


def extra_program(text):
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise OwnStatus(USAGE, f"--program {text!r}: {error}") from error
    if not words:
        raise OwnStatus(USAGE, "--program needs a path: --program '[NAME=]PATH ARGS'")
    name = ""
    if match := re.match(r"([^/=]+)=(.+)", words[0]):
        name, words[0] = match.groups()
    return image.Program(find_program(words[0]), words, name)


def make_archive(options, programs):
    archive = Archive()
    if options.root:
        if not Path(options.root).is_dir():
            raise OwnStatus(NO_INPUT, f"--root {options.root}: no such directory")
        archive.add_tree(options.root)
    for given in options.file:
        path, name = given, None
        if "=" in given and not Path(given).exists():
            path, name = given.rsplit("=", 1)
        require_file(Path(path), "file")
        archive.add(path, name)
    for argument in (word for program in programs for word in program.argv[1:]):
        if is_file(argument):
            require_file(Path(argument), "file")
            archive.add(argument)
        elif "/" in argument and argument.strip("/.") and is_directory(argument):
            if not options.root and argument not in options.file:
                tree.say(f"{argument} is a directory: --file {argument} puts it into the image")
    return archive if archive else None


def uses_channel(options):
    """Not at a terminal, which is the machine's console; not the demo, whose output a person watches;
    and not an image for other machines."""
    return not options.interactive and not options.iso and bool(options.command or options.program or options.guest)


def guest_of(options):
    """The guest that the options ask for, or None. Whatever goes with guests only, or with programs only, is refused
    beside the other."""
    of_guests = {"--initrd": options.initrd, "--append-guest": options.append_guest, "--guest-memory": options.guest_memory,
                 "--disk": options.disk}
    of_programs = {"PROGRAM": options.command, "--name": options.name, "--file": options.file, "--root": options.root,
                   "--out": options.out, "--out-root": options.out_root}
    if options.guest is None:
        if alone := [name for name, given in of_guests.items() if given is not None]:
            raise OwnStatus(USAGE, f"{alone[0]} goes with --guest KERNEL")
        return None
    if both := [name for name, given in of_programs.items() if given]:
        raise OwnStatus(USAGE, f"--guest runs a kernel, and {both[0]} is for programs: give one or the other")
    for path, kind in ((options.guest, "kernel"), (options.initrd, "initrd"), (options.disk, "disk")):
        if path is not None:
            require_file(Path(path), kind)
            if Path(path).is_dir():
                raise OwnStatus(NO_INPUT, f"{path} is a directory: name the {kind}'s file")
    memory = guest.MEMORY if options.guest_memory is None else options.guest_memory
    return guest.Guest(options.guest, options.initrd, options.append_guest or "", memory, options.disk)


def choose_machine(options):
    """CPU and memory, where nobody said which."""
    wanted = options.guest
    if wanted:
        wanted.check()
    least = wanted.machine_memory() if wanted else 0
    if options.memory is not None and options.memory < least:
        raise OwnStatus(USAGE, f"a guest of {wanted.memory} MiB does not fit into a machine of {options.memory} MiB: "
                         f"--memory {least} gives it more, --guest-memory asks for less")
    if options.memory is None:
        options.memory = max(256, least)
    if options.cpu is None:
        options.cpu = guest.CPU if wanted else "max"


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
    if options.guest:
        words.append(guest.GRANT)
    return " ".join([*words, options.append])


def check_limits(contents, options):
    archive_bytes = contents.archive.size() if contents.archive else 0
    limits.check(contents, archive_bytes, options.memory)


def display_kind(wanted):
    if wanted != "window":
        return wanted or "none"
    offered = subprocess.run([machine.QEMU, "-display", "help"], capture_output=True, text=True)
    for kind in ("gtk", "sdl"):
        if kind in offered.stdout.split():
            return kind
    raise OwnStatus(MISSING, "this QEMU cannot open a window: install the package "
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


def refusal(outcome):
    """What the machine says of its first error: the line before the event, and of an argument the one before that, too."""
    before, _, behind = outcome.console.partition("reprise: error code=")
    count = 2 if behind.startswith("bad-argument") else 1
    lines = [line for line in before.splitlines() if line.startswith(events.PEOPLE)]
    return "; ".join(line.removeprefix(events.PEOPLE) for line in lines[-count:])


def own_status_of(outcome, options):
    """What the machine itself ended with, as an OwnStatus; None: its programs ended."""
    if outcome.timed_out:
        return OwnStatus(TIMEOUT, f"still running after {options.timeout:g} seconds, ended (--timeout sets the limit)")
    if outcome.value is None and image.NOT_LOADED in outcome.raw:
        what = outcome.raw.rpartition(image.NOT_LOADED)[2].split("\n")[0].strip()
        return OwnStatus(74, f"the boot loader has no memory for {what}: --memory gives the machine more")
    if outcome.value is None and options.interactive and outcome.status == 0:
        return OwnStatus(KEYBOARD, "ended from the keyboard")  # Ctrl-A X is QEMU's own end
    if outcome.value is None:
        return OwnStatus(UNEXPECTED, f"the machine ended unexpectedly (QEMU's exit status {outcome.status}); the end of "
                         f"what came over the serial line:\n{outcome.raw[-2000:]}")
    if outcome.value >= machine.FIRST_BOOT_ERROR:
        return OwnStatus(BOOT_ERROR + outcome.value - machine.FIRST_BOOT_ERROR, f"the boot was refused: {refusal(outcome)}")
    said = "; ".join(line.removeprefix("[reprise] ") for line in outcome.people_lines()[-2:])
    if outcome.value in MACHINE_STATUS:
        status, text = MACHINE_STATUS[outcome.value]
        return OwnStatus(status, f"{text}: {said}")
    return None


def status_of(outcome, options, programs):
    """The program's exit status."""
    if own := own_status_of(outcome, options):
        raise own
    event = outcome.exit_event(programs[0].name)
    if event is None:
        raise OwnStatus(UNEXPECTED, f"the log has no exit line of {programs[0].name}")
    return event.number("status")


def status_with(files, outcome, options, programs):
    """The program's exit status. A file that did not come back makes it one of our own, unless the program
    itself failed."""
    lacking = files.finish()
    for text in lacking:
        tree.say(text)
    status = status_of(outcome, options, programs)
    if lacking and status == 0:
        raise OwnStatus(NO_INPUT, "not all that was to come back has come")
    return status


def requested_files(options):
    pairs = []
    for given in options.out:
        name, _, path = given.partition("=")
        if not name.strip("/"):
            raise OwnStatus(USAGE, f"--out {given}: names no file; --out-root DIR is for all of them")
        pairs.append((name, path or name))
    return returned.Returned(pairs, options.out_root)


def booted(options, output, hearing):
    """Builds and boots; `hearing` makes of a function for the console's text another one. Returns the
    exit status."""
    tree.build(target="image_parts", say=tree.say)
    if options.counter and options.counter.startswith("pmu"):
        tree.build(target="pmu_plugin")
    if (options.out or options.out_root) and not uses_channel(options):
        raise OwnStatus(USAGE, "--out and --out-root need a PROGRAM, and go neither with --interactive nor with --iso")
    if not options.command and not options.program and not options.guest:
        with output.console(options.interactive) as show:
            return demo.run(settings_of(options), kernel_arguments(options), hearing(show))
    files = requested_files(options)
    programs = [extra_program(text) for text in options.program]
    if options.command:
        path = find_program(options.command[0])
        programs.insert(0, image.Program(path, options.command, options.name))
    if options.guest:
        programs.insert(0, options.guest.program())
    archive = options.guest.archive() if options.guest else make_archive(options, programs)
    contents = image.Contents(programs, archive, kernel_arguments(options))
    if uses_channel(options):
        contents.drivers = (*contents.drivers, channel.DRIVER)
    check_limits(contents, options)
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
            settings.channel = channel.Channel(scratch, channel.program_input(),
                                               lambda frame: output.frame(frame) or files.frame(frame), files.wanted)
            stack.callback(settings.channel.close)
            show = output.log
        else:
            show = stack.enter_context(output.console(options.interactive))
        outcome = machine.run(iso, settings, hearing(show))
    return status_with(files, outcome, options, programs)


def run(options):
    options.guest = guest_of(options)
    choose_machine(options)
    with Output(options.log or (None if options.quiet else "")) as output:
        return traced(options, output)


def traced(options, output):
    if not options.trace:
        return booted(options, output, lambda show: show)
    if options.iso:
        raise OwnStatus(USAGE, "--trace needs a machine that runs, and --iso boots none")
    command = shlex.join([sys.argv[0], *sys.argv[1:]])
    with timeline.Recording(options.trace, timeline.clock_of(settings_of(options)), command) as recording:
        options.second_serial = recording.port
        status = booted(options, output, recording.listening)
    tree.say(recording.summary)
    return status


def end_by(number):
    """Ends as a program does that has no handler for the signal."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def heed_signals():
    def end(number, _):
        for each in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)  # one is enough: what was begun is taken down meanwhile
        raise Signalled(number)

    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) != signal.SIG_IGN:  # nohup
            signal.signal(each, end)


def open_closed_streams():
    """A file that is opened later must not become stdin, stdout or stderr."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def status_here():
    try:
        return run(parse_arguments())
    except OwnStatus as own:
        status, text = own.status, str(own)
    except (limits.LimitError, guest.GuestError) as error:
        status, text = USAGE, str(error)
    except (timeline.TimelineError, returned.ReturnError) as error:
        status, text = NO_INPUT, str(error)
    except machine.MachineError as error:
        status, text = MISSING, str(error)
    except tree.BuildError as error:
        status, text = BUILD, str(error)
    except channel.ChannelError as error:
        status, text = UNEXPECTED, str(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        status, text = NO_INPUT, f"{error.filename or ''}: {error.strerror}"
    except KeyboardInterrupt:
        status, text = KEYBOARD, "ended from the keyboard"
    tree.say(text)
    tree.say(f"exit status {status} is {sys.argv[0]}'s own, not the program's")
    return status


def main():
    open_closed_streams()
    heed_signals()
    try:
        return status_here()
    except BrokenPipeError:  # nobody reads on
        return end_by(signal.SIGPIPE)
    except Signalled as signalled:
        return end_by(signalled.number)


if __name__ == "__main__":
    sys.exit(main())
