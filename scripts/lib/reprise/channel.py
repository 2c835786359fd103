"""The host's end of the channel to a machine: programs' standard streams, and files that come back.

The channel is memory that QEMU shares with this process: a file that the machine sees as the device
ivshmem-plain. user/drivers/host_channel.hpp says what stands where; the driver `host` is the other
end. Nothing in it announces anything, so both ends look again and again.
"""

import mmap
import os
import select
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

ARGUMENT = "streams=host"
DRIVER = "host"

BYTES = 16 << 20
MAGIC = int.from_bytes(b"RRPHOST1", "little")
WANTED, OUTPUT, INPUT = (4096, (1 << 20) - 4096), (1 << 20, 11 << 20), (12 << 20, 4 << 20)  # offset, bytes
(_MAGIC, _OUTPUT_OFFSET, _OUTPUT_BYTES, _INPUT_OFFSET, _INPUT_BYTES, _WANTED_OFFSET, _WANTED_BYTES,
 _INPUT_WRITTEN, _INPUT_ENDED, _OUTPUT_READ, _OUTPUT_WRITTEN, _INPUT_READ) = range(12)
HEADER = struct.Struct("<IIIIQQ")
STANDARD_OUTPUT, STANDARD_ERRORS = 1, 2  # kinds of frames


class ChannelError(Exception):
    """The machine broke the channel's rules."""


@dataclass
class Frame:
    kind: int
    process: int
    detail: int
    words: tuple
    content: bytes


def wait_readable(source, seconds):
    """Whether a file has something to read, or is at its end; waits for that so long."""
    return bool(select.select([source], [], [], seconds)[0])


def program_input():
    """The file descriptor whose content is the program's input: stdin when it is a pipe or a file.
    None: a terminal, say, is no input unless --interactive asks for it."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:  # closed
        return None
    return 0 if stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode) else None


class Channel:
    """`on_frame` gets each frame that comes out; `source` is a file descriptor or None.

        channel = Channel(folder, source, on_frame)
        ... a machine with channel.arguments() runs; meanwhile, and once behind its end:
        channel.turn(seconds)
    """

    def __init__(self, folder, source, on_frame, wanted=()):
        self._path = Path(folder) / "channel"
        with open(self._path, "w+b") as file:
            file.truncate(BYTES)
            self._memory = mmap.mmap(file.fileno(), BYTES)
        self._words = memoryview(self._memory).cast("Q")
        self._source, self._on_frame = source, on_frame
        names = b"".join(os.fsencode(name) + b"\0" for name in wanted)
        if len(names) > WANTED[1]:
            raise ChannelError("too many files are to come back")
        self._memory[WANTED[0]:WANTED[0] + len(names)] = names
        for word, value in ((_OUTPUT_OFFSET, OUTPUT[0]), (_OUTPUT_BYTES, OUTPUT[1]), (_INPUT_OFFSET, INPUT[0]),
                            (_INPUT_BYTES, INPUT[1]), (_WANTED_OFFSET, WANTED[0]), (_WANTED_BYTES, len(names)),
                            (_INPUT_ENDED, source is None), (_MAGIC, MAGIC)):
            self._words[word] = value

    def arguments(self):
        return ["-object", f"memory-backend-file,id=channel,size={BYTES},share=on,mem-path={self._path}",
                "-device", "ivshmem-plain,memdev=channel"]

    @property
    def input_has_ended(self):
        """Whether the machine has all input already, so that it need not wait for any."""
        return bool(self._words[_INPUT_ENDED])

    def turn(self, seconds):
        """Takes out what there is, and gives input that there is; waits at most so long for some."""
        if not self._take_out() and not self._give_input(0):
            self._give_input(seconds)

    def give_all(self):
        """As much input as is there already."""
        while self._give_input(0):
            pass

    def take_rest(self):
        """What the machine has left; it has ended. A file that was the input goes on where the program
        has stopped reading it, so that who reads it next finds the rest."""
        while self._take_out():
            pass
        if self._source is not None and stat.S_ISREG(os.fstat(self._source).st_mode):
            os.lseek(self._source, self._words[_INPUT_READ] - self._words[_INPUT_WRITTEN], os.SEEK_CUR)

    def _take_out(self):
        """Whether there was anything."""
        read, written = self._words[_OUTPUT_READ], self._words[_OUTPUT_WRITTEN]
        if read == written:
            return False
        while read != written:
            kind, length, process, detail, *words = HEADER.unpack(self._output(read, HEADER.size))
            if HEADER.size + length > written - read:
                raise ChannelError("a frame is longer than what was written")
            content = self._output(read + HEADER.size, length)
            read += HEADER.size + length
            self._on_frame(Frame(kind, process, detail, tuple(words), content))
            self._words[_OUTPUT_READ] = read
        return True

    def _output(self, position, length):
        start, size = OUTPUT
        at = position % size
        first = self._memory[start + at:start + min(at + length, size)]
        return first + self._memory[start:start + length - len(first)]

    def _give_input(self, seconds):
        """Whether the machine got some, or its end."""
        start, size = INPUT
        written = self._words[_INPUT_WRITTEN]
        at, room = written % size, size - (written - self._words[_INPUT_READ])
        if self.input_has_ended or room == 0:
            select.select([], [], [], seconds)
            return False
        if not wait_readable(self._source, seconds):
            return False
        content = os.read(self._source, min(room, size - at, 1 << 16))
        self._memory[start + at:start + at + len(content)] = content
        self._words[_INPUT_WRITTEN] = written + len(content)
        if not content:
            self._words[_INPUT_ENDED] = 1
        return True

    def close(self):
        self._words.release()
        self._memory.close()
