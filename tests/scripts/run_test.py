"""scripts/run as a command: where output goes, where input comes from, how it ends."""

import contextlib
import errno
import os
import pty
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "lib"))

import listed  # noqa: E402
import run  # noqa: E402
from reprise import channel, events, guest, image, machine, output, returned, tree  # noqa: E402

BUSYBOX = "/bin/busybox"
# The first 256 bytes have each value once; the rest is no text either.
BINARY = bytes(range(256)) + random.Random(1).randbytes(299_745)
EVERY_BIT = bytes(255 - byte for byte in range(256))


def scripts_run(*words, **how):
    how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
    if "input" in how:
        del how["stdin"]
    return subprocess.run([TOP / "scripts" / "run", *words], timeout=900, check=False, **how)


def log_events(text, name):
    return [event for event in map(events.parse_event, text.splitlines()) if event and event.name == name]


class Scratch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="reprise-test-")
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)

    def own(self, status, ran):
        """What it said, without the line that tells its own status from a program's."""
        *said, last = ran.stderr.decode().splitlines()
        self.assertEqual(ran.returncode, status, said)
        self.assertEqual(last, f"scripts/run: exit status {status} is scripts/run's own, not the program's")
        return "\n".join(said)


class Streams(Scratch):
    def test_a_pipe_into_and_out_of_the_machine_carries_every_byte_as_it_is(self):
        log = self.scratch / "log"
        ran = scripts_run("--log", log, tree.linux_program("both_ways"), input=BINARY)
        self.assertEqual(ran.stdout, BINARY + b"no line feed at the end")
        self.assertEqual(ran.stderr, BINARY.translate(EVERY_BIT))
        self.assertEqual(ran.returncode, 3)
        text = log.read_text(encoding="ascii")
        self.assertEqual(log_events(text, "exit")[0]["status"], "3")
        self.assertEqual(log_events(text, "shutdown")[0]["mismatches"], "0")

    def test_output_is_fast_and_several_programs_share_it(self):
        ran = scripts_run("--append", "report=short", "--program", "one=/bin/busybox echo from the other",
                          BUSYBOX, "seq", "1", "100000")
        self.assertEqual(ran.returncode, 0)
        numbers = "".join(f"{n}\n" for n in range(1, 100001))
        self.assertEqual(ran.stdout.decode().replace("from the other\n", "", 1), numbers)
        # Guest time counts instructions: over the serial line they were 2.4 seconds of it.
        end, = log_events(ran.stderr.decode(), "shutdown")
        self.assertLess(end.number("time_ns"), 1_000_000_000)

    def test_output_that_does_not_block_is_waited_for(self):
        reader, writer = os.pipe()  # as some programs leave the terminal or the pipe that they share
        os.set_blocking(writer, False)
        with ThreadPoolExecutor() as pool, open(reader, "rb") as file:
            written = pool.submit(output.write_all, writer, BINARY)
            written.add_done_callback(lambda _: os.close(writer))
            self.assertEqual(file.read(), BINARY)
            written.result()

    def test_quiet_drops_the_log_and_a_file_goes_on_where_the_program_stopped_reading(self):
        numbers = self.scratch / "numbers"
        numbers.write_text("".join(f"{n}\n" for n in range(1000)))
        with open(numbers, encoding="ascii") as file:
            ran = scripts_run("--quiet", BUSYBOX, "sh", "-c", "read a; read b; echo $b; read c", stdin=file)
            self.assertEqual((ran.stdout, ran.stderr, ran.returncode), (b"1\n", b"", 0))
            self.assertEqual(file.readline(), "3\n")


class Ends(Scratch):
    """How scripts/run ends when it does not end with the program."""

    def begun(self, *words, **how):
        """scripts/run with a machine that runs; its scratch folders are in self.scratch."""
        environment = {**os.environ, "TMPDIR": str(self.scratch)}
        started = subprocess.Popen([TOP / "scripts" / "run", *words], env=environment, start_new_session=True,
                               **{"stdin": subprocess.DEVNULL, **how})
        self.addCleanup(started.wait)
        self.addCleanup(started.kill)
        while not self.machines():
            self.assertIsNone(started.poll())
            time.sleep(0.05)
        return started

    def machines(self):
        """The process numbers of the QEMUs that run an image of self.scratch."""
        found = []
        for line in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                text = line.read_bytes()
                found += [int(line.parent.name)] if text.startswith(b"qemu-system") and os.fsencode(self.scratch) in text else []
        return found

    def assert_nothing_left(self):
        left = self.machines()
        for number in left:
            os.kill(number, signal.SIGKILL)
        self.assertEqual((left, list(self.scratch.iterdir())), ([], []))

    def test_a_signal_takes_the_machine_and_the_scratch_folder_along(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            started = self.begun("--quiet", "loop")
            started.send_signal(number)
            self.assertEqual(started.wait(), -number)
            self.assert_nothing_left()

    def test_a_reader_that_closes_ends_it_as_any_command(self):
        started = self.begun("--quiet", BUSYBOX, "seq", "1", "1000000", stdout=subprocess.PIPE)
        self.assertEqual(started.stdout.read(2), b"1\n")
        started.stdout.close()
        self.assertEqual(started.wait(), -signal.SIGPIPE)
        self.assert_nothing_left()

    def test_a_reader_of_errors_that_closes_ends_it_as_well(self):
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "wb") as closed:
            self.assertEqual(scripts_run("/no/such/program", stderr=closed).returncode, -signal.SIGPIPE)

    def test_a_closed_stream_is_no_file_that_is_opened_later(self):
        # The log would be descriptor 0, and so the program's input; or 1, and get its output.
        log = self.scratch / "log"
        for redirection in ("<&-", ">&-"):
            words = ["sh", "-c", f'exec "$@" {redirection}', "sh", TOP / "scripts" / "run", "--log", log, BUSYBOX, "sh", "-c",
                     "read line; echo from the program"]
            ran = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=900, check=False)
            out = b"" if redirection == ">&-" else b"from the program\n"
            self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, out, b""))
            self.assertNotIn("from the program\n", log.read_text(encoding="ascii"))

    def test_what_breaks_the_rules_of_the_channel_is_an_end_of_its_own(self):
        with (mock.patch.object(run, "run", side_effect=channel.ChannelError("a frame is too long")),
              mock.patch.object(sys, "argv", ["scripts/run"]), mock.patch.object(tree, "say") as said):
            self.assertEqual(run.main(), 71)
        self.assertIn(mock.call("a frame is too long"), said.mock_calls)

    def test_the_way_out_of_the_terminal_is_no_unexpected_end(self):
        ours, terminal = pty.openpty()
        with open(ours, "r+b", buffering=0) as keyboard:
            started = self.begun("--interactive", "echo", stdin=terminal, stdout=terminal, stderr=subprocess.PIPE)
            while started.poll() is None:
                keyboard.write(b"\x01x")
                time.sleep(0.1)
            ran = subprocess.CompletedProcess([], started.returncode, b"", started.stderr.read())
            started.stderr.close()
            os.close(terminal)
        self.assertEqual(self.own(130, ran), "scripts/run: ended from the keyboard")
        self.assert_nothing_left()

    def test_what_a_machine_has_written_comes_out_however_it_ends(self):
        frames = []
        settings = machine.Settings(channel=channel.Channel(self.scratch, None, frames.append))
        self.addCleanup(settings.channel.close)
        writer = ("import os, sys; sys.path[:0] = [sys.argv[1]]; from reprise import channel\n"
                  "file = open(sys.argv[2], 'r+b'); content = b'the last words'\n"
                  "file.seek(channel.OUTPUT[0]); file.write(channel.HEADER.pack(1, len(content), 3, 0, 0, 0) + content)\n"
                  "file.seek(8 * channel._OUTPUT_WRITTEN); file.write((32 + len(content)).to_bytes(8, 'little'))\n"
                  "file.close(); os.write(1, b'[reprise] no line feed'); os.kill(os.getpid(), 9)")
        log = []
        data, status = machine._followed([sys.executable, "-c", writer, str(TOP / "scripts" / "lib"),
                                          str(self.scratch / "channel")], settings, log.append)
        self.assertEqual([frame.content for frame in frames], [b"the last words"])
        self.assertEqual("".join(log), "[reprise] no line feed")
        self.assertEqual((data, status), (b"[reprise] no line feed", -signal.SIGKILL))

    def test_what_the_boot_loader_cannot_load_is_said_and_nothing_runs(self):
        # As it would be with files that limits.py lets through and GRUB has no room for.
        archive, iso = self.scratch / "archive", self.scratch / "iso"
        archive.write_bytes(b"")
        os.truncate(archive, 40 << 20)
        image.write_image(image.Contents([image.Program(BUSYBOX, ["busybox", "ls"])], archive), iso)
        outcome = machine.run(iso, machine.Settings(memory=32, virtio=True, pit=False, timeout=900))
        own = run.own_status_of(outcome, None)
        self.assertEqual((own.status, str(own)), (74, "the boot loader has no memory for archive: --memory gives the machine more"))
        self.assertEqual(outcome.events(), [])

    def test_a_refused_boot_says_why_although_the_log_is_dropped(self):
        ran = scripts_run("--quiet", "--append", "polcy=rotate", BUSYBOX, "true")
        self.assertIn("the boot was refused", self.own(94, ran))
        self.assertIn("polcy=rotate", ran.stderr.decode())

    def test_what_the_machine_cannot_take_is_refused_before_the_boot(self):
        (self.scratch / "large").write_bytes(b"")
        os.truncate(self.scratch / "large", 300 << 20)
        echo = (BUSYBOX, "echo")
        for words, reason in (
                ((*["--program", f"{BUSYBOX} true"] * 63, *echo), "64 programs are too many: 58 at most"),
                ((*echo, *["word"] * 126), "busybox has 127 arguments, and a program can have 126"),
                ((*echo, "x" * 16380), "the arguments of busybox have 16396 bytes, and 16384 fit"),
                (("--append", "x" * 20000, *echo), "20013 characters and 2 words, and 4096 characters and 128 words"),
                (("--append", "a=b " * 128, *echo), "129 words, and 4096 characters and 128 words"),
                (("--file", f"{self.scratch}/large=large", *echo),
                 r"do not fit into a machine of 256 MiB \(the archive of files has 301 MiB\): --memory \d+ gives it more"),
                (("--memory", "16", *echo), "do not fit into a machine of 16 MiB")):
            self.assertRegex(self.own(64, scripts_run(*words)), reason)

    def test_the_longest_arguments_arrive_whole_though_no_file_has_such_a_name(self):
        variable = "v" * (4096 - len("streams=host env.A="))
        words = ["b" * 300, "a/" * 3000, bytes(range(1, 256)) * 38]
        given = [BUSYBOX, "sh", "-c", 'echo "$A"; printf %s "$@"', "name", *words]
        room = 16384 - len("program=busybox") - sum(map(len, given))
        self.assertGreater(room, 100)
        ran = scripts_run("--quiet", "--append", f"env.A={variable}", *given, "z" * room)
        expected = b"".join(word if isinstance(word, bytes) else word.encode() for word in [f"{variable}\n", *words, "z" * room])
        self.assertEqual((ran.returncode, ran.stdout), (0, expected), ran.stderr)

    def test_a_checkout_that_cannot_be_written_says_so(self):
        refusal = PermissionError(errno.EROFS, "Read-only file system", "/checkout/build")
        with mock.patch.dict(os.environ), mock.patch.object(tree, "alone_in", side_effect=refusal):
            os.environ.pop("REPRISE_BUILD", None)
            with self.assertRaisesRegex(tree.BuildError, "/checkout/build cannot be written .*: copy .* to a folder of yours"):
                tree.build()


class Guests(Scratch):
    """--guest, up to the boot: what cannot work is refused, with what would."""

    def kernel(self, version=0x20f, place=0x1000000, needed=0x2800000, command_line=2047, size=0x8000, loaded_high=1):
        """A file that says of itself what a Linux kernel does."""
        image_bytes = bytearray(size)
        image_bytes[0x202:0x206] = b"HdrS"
        struct.pack_into("<H", image_bytes, 0x206, version)
        image_bytes[0x211] = loaded_high
        struct.pack_into("<I", image_bytes, 0x238, command_line)
        struct.pack_into("<QI", image_bytes, 0x258, place, needed)
        path = self.scratch / "kernel"
        path.write_bytes(image_bytes)
        return path

    def refused(self, status, *words):
        return self.own(status, scripts_run(*words))

    def test_a_file_that_is_no_kernel_is_refused(self):
        self.assertIn("no such kernel", self.refused(66, "--guest", self.scratch / "none"))
        self.assertIn("is a directory", self.refused(66, "--guest", self.scratch))
        self.assertIn("no such initrd", self.refused(66, "--guest", self.kernel(), "--initrd", self.scratch / "none"))
        for content in (b"", b"HdrS", b"x" * 5000, b"REPRISE-GUEST\0\0"):
            path = self.scratch / "text"
            path.write_bytes(content)
            self.assertIn("is no kernel", self.refused(64, "--guest", path))
        self.assertIn("protocol 2.09", self.refused(64, "--guest", self.kernel(version=0x209)))
        self.assertIn("is a zImage", self.refused(64, "--guest", self.kernel(loaded_high=0)))

    def test_what_does_not_fit_into_memory_is_refused_and_told_how_much_would_do(self):
        initrd = self.scratch / "initrd"
        initrd.write_bytes(b"")
        os.truncate(initrd, 80 << 20)
        said = self.refused(64, "--guest", self.kernel(), "--initrd", initrd)
        self.assertIn("up to 56 MiB", said)
        self.assertIn("an initrd of 80 MiB", said)
        self.assertIn("--guest-memory 296", said)
        self.assertIn("--guest-memory 56", self.refused(64, "--guest", self.kernel(), "--guest-memory", "55"))
        for memory in ("1", "3073", "-1"):
            self.assertIn("from 2 to 3072 MiB", self.refused(64, "--guest", self.kernel(), "--guest-memory", memory))
        said = self.refused(64, "--guest", self.kernel(), "--memory", "190")
        self.assertIn("--memory 193 gives it more", said)

    def test_options_that_make_no_sense_together_are_refused(self):
        kernel = self.kernel()
        for words in (("--initrd", kernel), ("--append-guest", "quiet"), ("--guest-memory", "64"), ("--disk", kernel)):
            self.assertIn(f"{words[0]} goes with --guest", self.refused(64, *words, BUSYBOX, "true"))
        for words in ((BUSYBOX, "true"), ("--name", "x"), ("--file", kernel), ("--root", self.scratch), ("--out", "x")):
            self.assertIn("is for programs", self.refused(64, "--guest", kernel, *words))

    def test_a_disk_goes_into_the_image_and_leaves_pci_on(self):
        kernel, disk = self.kernel(), self.scratch / "image"
        self.assertIn("no such disk", self.refused(66, "--guest", kernel, "--disk", disk))
        disk.write_bytes(b"")
        os.truncate(disk, 100 << 20)
        options = run.parse_arguments(["--guest", str(kernel), "--disk", str(disk)])
        given = run.guest_of(options)
        self.assertEqual(given.program().argv[:5], ["monitor", "disk=disk", "128", "kernel", "-"])
        self.assertNotIn("pci=off", given.command_line().split())
        self.assertIn("pci=off", guest.Guest(kernel).command_line().split())
        self.assertEqual(given.machine_memory(), guest.Guest(kernel).machine_memory() + 300)
        written = self.scratch / "archive"
        given.archive().write(written)
        listed_files = subprocess.run(["cpio", "-t", "--quiet", "-F", written], capture_output=True, text=True, check=True)
        self.assertEqual(listed_files.stdout.split(), ["disk", "kernel"])

    def test_the_command_line_has_our_words_and_then_the_users(self):
        given = guest.Guest(self.kernel(), words="quiet init=/bin/sh")
        self.assertTrue(given.command_line().startswith("console=ttyS0 nokaslr "))
        self.assertTrue(given.command_line().endswith(" reboot=t quiet init=/bin/sh"))
        given.check()
        self.assertIn("and its kernel takes 100", self.refused(64, "--guest", self.kernel(command_line=100)))

    def test_a_guests_image_has_its_files_its_monitor_and_the_grant(self):
        kernel, initrd = self.kernel(), self.scratch / "initrd"
        initrd.write_bytes(b"files")
        options = run.parse_arguments(["--guest", str(kernel), "--initrd", str(initrd), "--append-guest", "quiet"])
        options.guest = run.guest_of(options)
        run.choose_machine(options)
        self.assertEqual((options.cpu, options.memory), (guest.CPU, 256))
        self.assertIn("grant=monitor:guest", run.kernel_arguments(options).split())
        monitor = options.guest.program()
        self.assertEqual(monitor.argv[:4], ["monitor", "128", "kernel", "initrd"])
        self.assertTrue(monitor.argv[4].endswith(" quiet"))
        self.assertEqual(monitor.name, "monitor")
        written = self.scratch / "archive"
        options.guest.archive().write(written)
        listed_files = subprocess.run(["cpio", "-t", "--quiet", "-F", written], capture_output=True, text=True, check=True)
        self.assertEqual(listed_files.stdout.split(), ["initrd", "kernel"])

    def test_a_machine_that_cannot_run_guests_says_what_to_do(self):
        said = self.refused(100, "--quiet", "--cpu", "Haswell", "--guest", tree.build_dir() / "bin/guests/test_guest")
        self.assertIn("-cpu qemu64,+svm,+npt", said)


class Files(Scratch):
    def frames(self, *frames):
        """What scripts/run makes of frames, after `--out /tree=tree --out-root all`."""
        with contextlib.chdir(self.scratch):
            files = returned.Returned([("/tree", "tree")], "all")
            for kind, detail, words, content in frames:
                files.frame(channel.Frame(kind, 3, detail, words, content))
            return files.finish()

    def test_files_that_a_program_has_left_come_back_though_a_signal_ended_it(self):
        (self.scratch / "kept").write_text("kept\n")
        (self.scratch / "longer").write_text("first\n")
        (self.scratch / "folder" / "below" / "deep").mkdir(parents=True)
        for name in ("kept", "below/moved", "below/deep/moved"):
            (self.scratch / "folder" / name).write_text(f"{name}\n")
        ran = scripts_run("--quiet", "--file", "kept", "--file", "longer", "--file", "folder", "--out", "/made/tree=tree", "--out", "kept=same",
                          "--out", "/nowhere", "--out-root", "all", tree.linux_program("leaves_files"), cwd=self.scratch)
        self.assertEqual((ran.returncode, ran.stderr.decode()), (134, "scripts/run: --out /nowhere: the program left no such file\n"))
        large = bytes(100_000) + bytes(n * 7 % 256 for n in range(100_000))
        deep = self.scratch / "tree" / "deep"
        self.assertEqual((deep / "large").read_bytes(), large)
        self.assertEqual((deep / "large").stat().st_mode & 0o777, 0o750)
        self.assertEqual((deep / "large").stat().st_mtime, 1_000_000_000)
        self.assertEqual((deep / "link").readlink(), Path("../link's target"))
        self.assertTrue((self.scratch / "tree" / "empty folder").is_dir())
        self.assertEqual((self.scratch / "same").read_text(), "kept\n")
        everything = self.scratch / "all"
        self.assertEqual((everything / "longer").read_text(), "first\nsecond\n")
        self.assertEqual((everything / "made" / "tree" / "deep" / "large").read_bytes(), large)
        self.assertEqual((everything / "new name").read_text(), "other\n")
        self.assertEqual(sorted(path.name for path in everything.iterdir()), ["folder", "longer", "made", "new name"])
        renamed = everything / "folder" / "renamed"
        self.assertEqual(sorted(path for path in (everything / "folder").rglob("*") if path.is_file()),
                         [renamed / "deep" / "moved", renamed / "moved"])
        self.assertEqual((renamed / "deep" / "moved").read_text(), "below/deep/moved\n")

    def test_no_file_is_written_outside_of_the_folder_that_was_given(self):
        (self.scratch / "elsewhere").mkdir()
        (self.scratch / "all").mkdir()
        (self.scratch / "all" / "way").symlink_to("../elsewhere")
        for request, name in ((0, b"/tree/../x"), (0, b"/other"), (0, b"/treetop"), (1, b"/../x"), (1, b"/way/x"), (2, b"/x"),
                              (1, b"//x")):
            with self.assertRaises(returned.ReturnError, msg=name):
                self.frames((returned.FILE, request << 16 | 0o644, (1, 0), name))
        with self.assertRaises(returned.ReturnError):
            self.frames((returned.FILE_BYTES, 0, (0, 0), b"x"))
        self.assertEqual([path for path in self.scratch.rglob("*") if path.is_file()], [])

    def test_links_come_behind_all_files_so_that_nothing_is_written_through_them(self):
        said = self.frames((returned.LINK, 1 << 16, (0, 0), b"/file\0/nowhere/at/all"),
                           (returned.FILE, 1 << 16 | 0o600, (1, 0), b"/file"), (returned.FILE_BYTES, 0, (0, 0), b"y"), (returned.FILES_END, 0, (0, 0), b""))
        self.assertEqual((self.scratch / "all" / "file").readlink(), Path("/nowhere/at/all"))
        self.assertEqual(said, ["--out /tree: the program left no such file"])

    def test_no_link_is_made_through_a_link_that_came_before_it(self):
        (self.scratch / "elsewhere").mkdir()
        (self.scratch / "elsewhere" / "x").write_text("kept")
        way = os.fsencode(self.scratch / "elsewhere")
        for request, name in ((0, b"/tree"), (1, b"/way")):
            with self.assertRaisesRegex(returned.ReturnError, "leads out of"):
                self.frames((returned.LINK, request << 16, (0, 0), name + b"\0" + way),
                            (returned.LINK, request << 16, (0, 0), name + b"/x\0/nowhere"))
            self.assertEqual((self.scratch / "elsewhere" / "x").read_text(), "kept")
            self.assertFalse((self.scratch / "elsewhere" / "x").is_symlink())

    def test_a_link_or_a_device_that_a_person_names_is_written_through(self):
        (self.scratch / "tree").symlink_to("to")
        self.frames((returned.FILE, 0o640, (1, 0), b"/tree"), (returned.FILE_BYTES, 0, (0, 0), b"y"))
        self.assertEqual(((self.scratch / "tree").readlink(), (self.scratch / "to").read_text()), (Path("to"), "y"))
        (self.scratch / "to").unlink()
        os.mkfifo(self.scratch / "to", 0o600)  # as a device: no file of its own is made
        reader = os.open(self.scratch / "to", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.frames((returned.FILE, 0o644, (1, 0), b"/tree"), (returned.FILE_BYTES, 0, (0, 0), b"z"))
        self.assertEqual((os.read(reader, 9), (self.scratch / "to").stat().st_mode & 0o777), (b"z", 0o600))

    def test_what_did_not_come_whole_is_said(self):
        self.assertIn("is not whole", self.frames((returned.FILE, 1 << 16 | 0o644, (5, 0), b"/file"))[0])
        self.assertIn("no files came back", self.frames()[0])

    def test_a_file_that_could_not_be_written_is_refused_before_the_boot(self):
        ran = scripts_run("--out", "x=missing/folder/x", BUSYBOX, "true", cwd=self.scratch)
        self.assertEqual((ran.returncode, ran.stderr.decode().splitlines()[0]),
                         (66, f"scripts/run: --out x: no such directory: {self.scratch}/missing/folder"))


class Channel(Scratch):
    """The host's end, with bytes in the memory as the machine would leave them."""

    def channel(self, source=None):
        self.frames = []
        made = channel.Channel(self.scratch, source, self.frames.append)
        self.addCleanup(made.close)
        return made

    def put(self, made, frame):
        start, size = channel.OUTPUT
        written = made._words[channel._OUTPUT_WRITTEN]
        for place, byte in enumerate(frame, written):
            made._memory[start + place % size] = byte
        made._words[channel._OUTPUT_WRITTEN] = written + len(frame)

    def test_frames_come_out_whole_around_the_end_of_the_ring(self):
        made = self.channel()
        near_end = channel.OUTPUT[1] - 40
        made._words[channel._OUTPUT_WRITTEN] = made._words[channel._OUTPUT_READ] = near_end
        for content in (b"first" * 10, b"", b"x"):
            self.put(made, channel.HEADER.pack(1, len(content), 3, 0, 5, 6) + content)
        made.turn(0)
        self.assertEqual([frame.content for frame in self.frames], [b"first" * 10, b"", b"x"])
        self.assertEqual((self.frames[0].process, self.frames[0].words), (3, (5, 6)))
        self.assertEqual(made._words[channel._OUTPUT_READ], made._words[channel._OUTPUT_WRITTEN])

    def test_a_frame_longer_than_what_was_written_is_an_error(self):
        made = self.channel()
        self.put(made, channel.HEADER.pack(1, 100, 3, 0, 0, 0))
        with self.assertRaises(channel.ChannelError):
            made.turn(0)

    def test_input_fills_the_ring_no_further_than_the_machine_has_read(self):
        content = random.Random(2).randbytes(channel.INPUT[1] + 1000)
        file = self.scratch / "input"
        file.write_bytes(content)
        with open(file, "rb") as source:
            made = self.channel(source.fileno())
            made.give_all()
            self.assertEqual(made._words[channel._INPUT_WRITTEN], channel.INPUT[1])
            self.assertFalse(made.input_has_ended)
            made._words[channel._INPUT_READ] = 400
            made.give_all()
            self.assertEqual(made._words[channel._INPUT_WRITTEN], channel.INPUT[1] + 400)
            start = channel.INPUT[0]
            self.assertEqual(made._memory[start:start + 400], content[-1000:-600])
            made._words[channel._INPUT_READ] = channel.INPUT[1]
            made.give_all()
            self.assertTrue(made.input_has_ended)
            made.take_rest()
            self.assertEqual(os.lseek(source.fileno(), 0, os.SEEK_CUR), channel.INPUT[1])


class Sorting(unittest.TestCase):
    """The console of a machine without a channel."""

    def sorted(self, *pieces):
        program, log = [], []
        sorter = events.Sorter(program.append, log.append)
        for piece in pieces:
            sorter.feed(piece)
        sorter.finish()
        return "".join(program), "".join(log)

    def test_lines_go_to_the_program_or_to_the_log_however_they_are_cut(self):
        text = "[reprise] up\nreprise: boot log=1\nrep\nre: prise\n[reprise is here\n\n  reprise: no\nend"
        expected = ("rep\nre: prise\n[reprise is here\n\n  reprise: no\nend", "[reprise] up\nreprise: boot log=1\n")
        self.assertEqual(self.sorted(text), expected)
        self.assertEqual(self.sorted(*text), expected)
        for at in range(len(text)):
            self.assertEqual(self.sorted(text[:at], text[at:]), expected)


if __name__ == "__main__":
    listed.main()
