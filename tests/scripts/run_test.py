"""scripts/run as a command: where output goes, where input comes from, how it ends."""

import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "lib"))

import listed  # noqa: E402
from reprise import channel, events, tree  # noqa: E402

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

    def test_quiet_drops_the_log_and_a_file_goes_on_where_the_program_stopped_reading(self):
        numbers = self.scratch / "numbers"
        numbers.write_text("".join(f"{n}\n" for n in range(1000)))
        with open(numbers, encoding="ascii") as file:
            ran = scripts_run("--quiet", BUSYBOX, "sh", "-c", "read a; read b; echo $b; read c", stdin=file)
            self.assertEqual((ran.stdout, ran.stderr, ran.returncode), (b"1\n", b"", 0))
            self.assertEqual(file.readline(), "3\n")


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
