"""Busybox, applet by applet: each prints and returns what it does on Linux (applets.txt says what each is run with)."""

import bz2
import gzip
import io
import lzma
import os
import shlex
import subprocess
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from boot import BUSYBOX, DEFAULTS, BootTest, long_test
from reference import EPOCH, lines, make_tree

from reprise import channel, image, machine
from reprise.archive import Archive

TABLE = Path(__file__).with_name("applets.txt")
COMPARED = ("same", "root", "status", "says", "refused")
HELPED = ("processes", "network", "devices", "users", "machine", "senseless")  # run with --help
AT_ONCE = 24      # programs in one boot
SAMPLE = 11       # in CI one applet of so many
MEMORY = 1024     # MiB


@dataclass
class Applet:
    name: str
    kind: str
    words: list = field(default_factory=list)
    input: str = ""       # a file's name
    expected: bytes = None  # output, where Linux prints something else

    @property
    def argv(self):
        return [BUSYBOX, self.name, *self.words]


def parse(line):
    words = shlex.split(line)
    applet = Applet(words.pop(0), words.pop(0))
    if applet.kind in HELPED:
        applet.words = ["--help"]
        return applet
    if applet.kind == "says":
        applet.expected = words.pop(0).replace("\\n", "\n").encode()
    if words[:1] == ["<"]:
        applet.input = words[1]
        words = words[2:]
    applet.words = words
    return applet


def applets():
    return [parse(line) for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def packed_by_compress(text):
    """As compress(1) of Unix writes it, without finding anything that repeats: codes of nine bits."""
    bits, count = 0, 0
    for byte in text:
        bits |= byte << count
        count += 9
    return b"\x1f\x9d\x90" + bits.to_bytes((count + 7) // 8, "little")


def in_ar(members):
    header = "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n"
    content = b"!<arch>\n"
    for name, data in members.items():
        content += header.format(f"{name}/", EPOCH, 0, 0, "100644", len(data)).encode() + data + b"\n" * (len(data) % 2)
    return content


def in_cpio(folder, names):
    return subprocess.run([BUSYBOX, "cpio", "-o", "-H", "newc", "-R", "0:0"], cwd=folder, check=True,
                          input="\n".join(names).encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def zipped(members):
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2001, 9, 9, 1, 46, 40)), data, zipfile.ZIP_DEFLATED)
    return stored.getvalue()


def tarred(members):
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w:gz", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), EPOCH
            tar.addfile(member, io.BytesIO(data))
    return stored.getvalue()


def make_files(folder):
    """make_tree()'s files and what else the table names, alike each time."""
    make_tree(folder)
    small = (folder / "small").read_bytes()
    changed = small.replace(b"page", b"PAGE", 3)
    (folder / "changed").write_bytes(changed)
    difference = subprocess.run(["diff", "-u", "small", "changed"], cwd=folder, stdout=subprocess.PIPE, check=False)
    members = {"one": b"a commit\n", "two": small}
    contents = {
        "change.diff": difference.stdout,
        "packed.gz": gzip.compress(lines(300, seed=3), mtime=EPOCH),
        "packed.bz2": bz2.compress(lines(300, seed=3)),
        "packed.lzma": lzma.compress(lines(300, seed=4), format=lzma.FORMAT_ALONE),
        "packed.xz": lzma.compress(lines(300, seed=4), check=lzma.CHECK_CRC32),
        "packed.Z": packed_by_compress(small[:200]),
        "files.zip": zipped(members),
        "files.a": in_ar(members),
        "files.deb": in_ar({"debian-binary": b"2.0\n", "control.tar.gz": tarred({"control": b"Package: x\n"}),
                            "data.tar.gz": tarred(members)}),
        "files.cpio": in_cpio(folder, ["small", "tree/one", "tree/deep/three"]),
        "text.uu": b"begin 644 small\n#0V%T\n`\nend\n",
        "dos": b"one\r\ntwo\r\n",
        "tabs": b"one\ttwo\n\tthree\n",
        "blanks": b"one     two\n        three\n",
        "doubled": b"one\none\ntwo\n",
        "commands": b"2p\n1,3n\nq\n",
        "disk.img": bytes(1 << 20),
        "scripts/run": b"#!/bin/sh\n",
        "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
        "etc/group": b"root:x:0:\n",
    }
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (folder / "scripts" / "run").chmod(0o755)
    (folder / "hollow").mkdir(exist_ok=True)
    for path in [*folder.rglob("*")]:
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


def on_linux(applet):
    """Output and status there, in files of its own, on one processor."""
    with tempfile.TemporaryDirectory(prefix="reprise-applet-") as scratch:
        folder = Path(scratch)
        make_files(folder)
        with open(folder / applet.input if applet.input else os.devnull, "rb") as source:
            done = subprocess.run(applet.argv, cwd=folder, env={}, timeout=60, stdin=source, check=False,
                                  preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout, done.returncode


class Applets(BootTest):
    cost = 12

    def setUp(self):
        super().setUp()
        self.files = self.scratch / "files"
        self.files.mkdir()
        make_files(self.files)

    def on_the_machine(self, chosen):
        """One boot; only the first applet may have input. Output and status of each, None for one without an end."""
        archive = Archive()
        archive.add_tree(self.files)
        programs = [image.Program(BUSYBOX, applet.argv, f"p{n}") for n, applet in enumerate(chosen)]
        iso = self.scratch / "test.iso"
        image.write_image(image.Contents(programs, archive, f"{channel.ARGUMENT} report=short",
                                         drivers=("clock", "terminal", channel.DRIVER)), iso)
        printed = {}

        def on_frame(frame):
            if frame.kind == channel.STANDARD_OUTPUT:
                printed[frame.process] = printed.get(frame.process, b"") + frame.content

        with open(self.files / chosen[0].input if chosen[0].input else os.devnull, "rb") as source:
            settings = machine.Settings(**{**DEFAULTS, "memory": MEMORY,
                                           "channel": channel.Channel(self.scratch, source.fileno(), on_frame)})
            outcome = machine.run(iso, settings, lambda _: None)
        self.consoles.append(outcome.console)
        self.assertFalse(outcome.timed_out)
        self.assertEqual(outcome.events("shutdown")[0]["mismatches"], "0")
        ends = [outcome.exit_event(program.name) for program in programs]
        return [end and (printed.get(end.number("pid"), b""), end.number("status")) for end in ends]

    def boots(self, chosen):
        """The applets in groups, each for one boot."""
        with_input = [applet for applet in chosen if applet.input]
        rest = [applet for applet in chosen if not applet.input]
        while with_input or rest:
            room = AT_ONCE - bool(with_input)
            yield [*with_input[:1], *rest[:room]]
            with_input, rest = with_input[1:], rest[room:]

    def complaint(self, applet, here):
        """Why this is not what Linux does; an empty text when it is."""
        if here is None:
            return f"{applet.name} has not ended"
        linux = on_linux(applet)
        if applet.kind == "root" and os.geteuid() != 0:
            return ""
        expected = (applet.expected if applet.expected is not None else linux[0], linux[1])
        if here == expected or (applet.kind == "status" and here[1] == expected[1]):
            return ""
        return f"{shlex.join(applet.argv[1:])}: {here[1]} {here[0][:300]!r}, on Linux {expected[1]} {expected[0][:300]!r}"

    def compare(self, chosen):
        same, complaints = 0, []
        for group in self.boots(chosen):
            for applet, here in zip(group, self.on_the_machine(group)):
                complaint = self.complaint(applet, here)
                same += not complaint
                complaints += [complaint] if complaint else []
        print(f"{same} of {len(chosen)} applets do what they do on Linux")
        self.assertEqual(complaints, [])

    def test_the_table_has_every_applet_of_this_busybox(self):
        listed = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
        found = applets()
        self.assertEqual([applet.name for applet in found], listed)
        self.assertEqual({applet.kind for applet in found} - {*COMPARED, *HELPED}, set())

    def test_a_sample_of_busyboxs_applets_does_what_it_does_on_linux(self):
        self.compare([applet for applet in applets() if applet.kind in COMPARED][::SAMPLE])

    @long_test
    def test_every_applet_of_busybox_does_what_it_does_on_linux(self):
        self.compare([applet for applet in applets() if applet.kind in COMPARED])

    @long_test
    def test_every_other_applet_of_busybox_refuses_as_on_linux(self):
        self.compare([applet for applet in applets() if applet.kind in HELPED])
