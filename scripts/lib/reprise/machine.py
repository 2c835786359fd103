"""One run of an image in QEMU: the console as it comes, and how the machine ended."""

import codecs
import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import events, tree

QEMU = "qemu-system-x86_64"
OVMF = "/usr/share/ovmf/OVMF.fd"
PAUSE = 0.005  # seconds between two looks at what a machine says

# What the kernel gives to isa-debug-exit (kernel/base/exit_code.hpp).
CLEAN = 0x10
PROGRAM_FAILED = 0x11
MISMATCH_STANDING = 0x12
PANIC = 0x13
MACHINE_UNFIT = 0x14
FIRST_BOOT_ERROR = 0x20


class MachineError(Exception):
    """QEMU could not run; the text says what to do."""


@dataclass
class Settings:
    cpu: str = "max"
    memory: int = 256           # MiB
    uefi: bool = False
    usb: bool = False           # as a USB stick rather than a CD
    virtio: bool = False        # as a virtio disk, without a disk controller: GRUB is sooner done
    icount: bool = None         # True: guest time counts instructions one to one; False: real time
    clock: str = "utc"          # wall clock at start, as QEMU's -rtc base=
    seed: int = 1               # of RDRAND, so that it repeats too where time does; None: host's
    counter: str = ""           # see counter_argument(); "" leaves it to the kernel
    pit: bool = True            # the 8254 timer; without it GRUB boots in half the time
    debug_exit: bool = True     # without it the machine halts at its end, as real hardware does
    display: str = "none"
    interactive: bool = False   # the terminal is the console's input
    typed: bytes = b""          # the console's input, typed once the machine is up; as dialogue,
                                # not together with on_text
    dialogue: tuple = ()        # or pairs of bytes: what the console must say next, and the answer
    channel: object = None      # channel.Channel: the standard streams; needs on_text
    second_serial: str = ""     # file that gets what the machine writes to COM2
    state: str = ""             # file of keep_state(): the machine goes on from there
    timeout: float = 600        # seconds; 0: never
    extra: list = field(default_factory=list)


@dataclass
class Outcome:
    value: int           # what the kernel gave to isa-debug-exit; None when it ended otherwise
    status: int          # QEMU's own exit status
    timed_out: bool
    console: str         # from the kernel's first line on
    raw: str             # all that came over the serial line
    seconds: float
    data: bytes = b""    # the same as it came, for programs that do not print text

    def events(self, name=None):
        found = filter(None, map(events.parse_event, self.console.splitlines()))
        return [event for event in found if name in (None, event.name)]

    def program_output(self):
        lines = self.console.splitlines(keepends=True)
        return "".join(line for line in lines if events.is_program_line(line))

    def people_lines(self):
        return [line for line in self.console.splitlines() if line.startswith(events.PEOPLE)]

    def exit_event(self, process):
        """The last exit of the process of that name, or None."""
        found = [event for event in self.events("exit") if event.get("process") == process]
        return found[-1] if found else None


def icount_shift(settings):
    """Guest nanoseconds per instruction, as a power of two; None: guest time is real time. Counting
    makes runs repeatable, and no busy host can make a second run look late. UEFI firmware waits in
    loops for seconds. These would take a minute at one nanosecond per instruction."""
    if settings.icount is None:
        return 5 if settings.uefi else 0
    return 0 if settings.icount else None


def counter_argument(counter):
    """The kernel argument that goes with Settings.counter: a back end's name, and for `pmu`
    arguments of the plugin that models one behind commas (tests/pmu_plugin/README.md)."""
    return f"counter={counter.split(',')[0]}" if counter else ""


def command(image, settings):
    """QEMU's command line for the image."""
    if not shutil.which(QEMU):
        raise MachineError(f"{QEMU} is missing: run scripts/doctor to see which packages to "
                           "install")
    line = [QEMU, "-machine", "q35", "-cpu", settings.cpu, "-m", str(settings.memory),
            "-display", settings.display, "-no-reboot", "-net", "none",
            "-rtc", f"base={settings.clock},clock=vm"]
    line += ["-serial", "mon:stdio"] if settings.interactive else ["-serial", "stdio"]
    if settings.second_serial:
        line += ["-serial", f"file:{settings.second_serial}"]
    if (shift := icount_shift(settings)) is not None:
        # A machine that waits for input from outside must do so in real time.
        awaits = settings.interactive or (settings.channel and not settings.channel.input_has_ended)
        sleep = "on" if awaits else "off"
        line += ["-icount", f"shift={shift},sleep={sleep}"]
        line += ["-seed", str(settings.seed)] if settings.seed is not None else []
    if settings.counter.split(",")[0] == "pmu":
        line += ["-plugin", settings.counter.replace("pmu", str(tree.pmu_plugin()), 1)]
    if not settings.pit:
        line += ["-machine", "pit=off"]
    if settings.debug_exit:
        line += ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
    if settings.uefi:
        if not Path(OVMF).exists():
            raise MachineError(f"{OVMF} is missing: install the package ovmf (UEFI firmware)")
        line += ["-bios", OVMF]
    if settings.channel:
        line += settings.channel.arguments()
    if settings.usb:
        line += ["-drive", f"if=none,id=stick,format=raw,readonly=on,file={image}",
                 "-device", "qemu-xhci", "-device", "usb-storage,drive=stick,bootindex=0"]
    elif settings.virtio:
        line += ["-machine", "sata=off",
                 "-drive", f"if=none,id=disk,format=raw,readonly=on,file={image}",
                 "-device", "virtio-blk-pci,drive=disk"]
    else:
        line += ["-cdrom", str(image)]
    if settings.state:
        line += ["-incoming", f"exec:cat {shlex.quote(str(settings.state))}"]
    return line + list(settings.extra)


def _started(line, settings, output=subprocess.PIPE):
    """QEMU as a process. `timeout` ends it even when this process has died before."""
    if settings.timeout:
        line = ["timeout", "--foreground", "--kill-after=5", str(settings.timeout), *line]
    stdin = (None if settings.interactive
             else subprocess.PIPE if settings.typed or settings.dialogue else subprocess.DEVNULL)
    return subprocess.Popen(line, stdin=stdin, stdout=output, stderr=subprocess.STDOUT)


def _value(status):
    value = status >> 1
    return value if status & 1 and value >= CLEAN else None


class ConsoleFilter:
    """Hands on console text as it comes, from the kernel's first line on, with Unix line ends."""

    def __init__(self, hand_on):
        self._hand_on = hand_on
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._kernel_speaks = False

    def feed(self, data):
        self._held += self._decoder.decode(data)
        if not self._kernel_speaks:
            started = events.from_kernel_on(events.clean(self._held))
            if not started.startswith((events.PEOPLE, events.EVENT)):
                return
            self._kernel_speaks = True
            self._held = started
        ready, self._held = self._held, ""
        if ready.endswith("\r"):
            ready, self._held = ready[:-1], "\r"
        self._hand_on(ready.replace("\r\n", "\n"))


def _read(output):
    """All of an open file; other processes may read and write it meanwhile."""
    return os.pread(output.fileno(), os.fstat(output.fileno()).st_size, 0)


def _answer(process, output, to_say):
    """Types each answer as soon as its question stands on the console."""
    heard = 0
    for question, answer in to_say:
        while (at := _read(output).find(question, heard)) < 0:
            if process.poll() is not None:
                return
            time.sleep(0.01)
        heard = at + len(question)
        try:
            process.stdin.write(answer)
            process.stdin.flush()
        except BrokenPipeError:
            return


def _recorded(line, settings, to_say):
    """All that the machine says, with answers where it waits for some. Its output is a file, which
    is never full. A pipe is full while a busy host keeps its reader waiting; the guest gives up a
    line that does not move for ten seconds of its own, and these pass quickly when it is idle."""
    with tempfile.TemporaryFile() as output:
        with _started(line, settings, output) as process:
            try:
                _answer(process, output, to_say)
                process.wait()
            except BaseException:
                process.terminate()
                raise
        return _read(output), process.returncode


def _followed(line, settings, on_text):
    """All that the machine says, handed on as it comes, while the channel is served. As in
    _recorded(), the machine never waits for a reader of its console."""
    screen = ConsoleFilter(on_text)
    channel = settings.channel
    with tempfile.TemporaryFile() as output:
        heard = 0

        def hear():
            nonlocal heard
            piece = os.pread(output.fileno(), os.fstat(output.fileno()).st_size - heard, heard)
            heard += len(piece)
            screen.feed(piece)

        with _started(line, settings, output) as process:
            try:
                while process.poll() is None:
                    if channel:
                        channel.turn(PAUSE)
                    else:
                        time.sleep(PAUSE)
                    hear()
            except BaseException:
                process.terminate()
                raise
        if channel:
            channel.take_rest()
        hear()
        return _read(output), process.returncode


def _at_terminal(line, settings, on_text):
    """The same for a machine that a person types to."""
    screen = ConsoleFilter(on_text)
    pieces = []
    with _started(line, settings) as process:
        try:
            while piece := os.read(process.stdout.fileno(), 65536):
                pieces.append(piece)
                screen.feed(piece)
        except BaseException:
            process.terminate()
            raise
    return b"".join(pieces), process.returncode


def run(image, settings, on_text=None):
    """Boots the image and waits for its end. `on_text` gets the console as it comes."""
    begin = time.monotonic()
    if settings.channel:
        settings.channel.give_all()
    line = command(image, settings)
    typed = [(b"reprise: boot ", settings.typed)] if settings.typed else []
    if settings.interactive and on_text:
        data, status = _at_terminal(line, settings, on_text)
    elif on_text:
        data, status = _followed(line, settings, on_text)
    else:
        data, status = _recorded(line, settings, settings.dialogue or typed)
    raw = data.decode("utf-8", "replace")
    timed_out = bool(settings.timeout) and status in (124, 137)
    return Outcome(None if timed_out else _value(status), status, timed_out,
                   events.from_kernel_on(events.clean(raw)), raw, time.monotonic() - begin,
                   data)


class Monitor:
    """QEMU's machine protocol: looks at a running machine from outside (screenshots)."""

    def __init__(self, path, patience):
        self._socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + patience
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        self._file = self._socket.makefile("rw", encoding="utf-8")
        self._file.readline()  # greeting
        self("qmp_capabilities")

    def __call__(self, execute, **arguments):
        self._file.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            answer = json.loads(self._file.readline())
            if "error" in answer:
                raise MachineError(f"{execute}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def close(self):
        self._file.close()
        self._socket.close()


def screenshot(image, settings, picture, marker, shows, patience=600):
    """Boots without isa-debug-exit and waits until a line with `marker` stands on the console (the
    machine halts there with its report on the screen). Then writes the screen to `picture` (PNG)
    again and again, until it stands still and shows(console) says that all is there, or patience
    (seconds) ends. Returns the console."""
    path = Path(picture).with_suffix(".qmp")
    settings.debug_exit = False
    settings.extra = [*settings.extra, "-qmp", f"unix:{path},server=on,wait=off"]
    with (tempfile.TemporaryFile() as output,
          _started(command(image, settings), settings, output) as process):

        def console():
            return events.from_kernel_on(events.clean(_read(output).decode("utf-8", "replace")))

        try:
            monitor = Monitor(path, patience)
            while marker.encode() not in _read(output).rpartition(b"\n")[0]:
                if process.poll() is not None:
                    raise MachineError(f"the machine ended before it said {marker!r}")
                time.sleep(0.05)
            end = time.monotonic() + patience
            before, now = None, b""
            while not (now == before and shows(console())) and time.monotonic() < end:
                time.sleep(0.05)
                monitor("screendump", filename=str(Path(picture).resolve()), format="png")
                before, now = now, Path(picture).read_bytes()
            monitor("quit")
            monitor.close()
        finally:
            process.terminate()
            path.unlink(missing_ok=True)
        return console()


def keep_state(image, settings, file):
    """Boots until the kernel says its first word, and writes the machine's state to `file`: boots that go on from there need no
    firmware and no boot loader. Returns what was said until then; None when QEMU cannot do it."""
    path = Path(file).with_suffix(".qmp")
    # Otherwise a machine that goes on from there would be stopped, as this one is.
    extra = [*settings.extra, "-qmp", f"unix:{path},server=on,wait=off", "-global", "migration.store-global-state=off"]
    with (tempfile.TemporaryFile() as output,
          _started(command(image, replace(settings, extra=extra)), settings, output) as process):
        try:
            monitor = Monitor(path, settings.timeout)
            while not _read(output):
                if process.poll() is not None:
                    return None
                time.sleep(0.0005)
            monitor("stop")
            monitor("migrate", uri=f"exec:cat > {shlex.quote(str(file))}")
            while (status := monitor("query-migrate").get("status")) not in ("completed", "failed", "cancelled"):
                time.sleep(PAUSE)
            said = _read(output)
            monitor.close()
        except (MachineError, OSError, ValueError):  # the machine has ended, or does not let itself be kept
            return None
        finally:
            process.terminate()
            path.unlink(missing_ok=True)
    return said if status == "completed" else None
