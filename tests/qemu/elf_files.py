"""ELF files with one thing wrong, made from a good native program."""

import struct
from dataclasses import dataclass

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
LOAD, DYNAMIC = 1, 2
EXECUTE, WRITE, READ = 1, 2, 4


@dataclass
class Segment:
    kind: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int

    def packed(self):
        return PROGRAM_HEADER.pack(self.kind, self.flags, self.offset, self.vaddr, self.paddr,
                                   self.filesz, self.memsz, self.align)


class ElfFile:
    def __init__(self, content):
        self.content = bytearray(content)
        header = HEADER.unpack_from(self.content)
        self.table, self.count = header[5], header[10]

    def segments(self):
        return [Segment(*PROGRAM_HEADER.unpack_from(self.content, self.table + n * 56))
                for n in range(self.count)]

    def loads(self):
        return [(n, s) for n, s in enumerate(self.segments()) if s.kind == LOAD]

    def with_segment(self, number, **changes):
        """The file with other values in one program header."""
        segment = self.segments()[number]
        for key, value in changes.items():
            setattr(segment, key, value)
        changed = bytearray(self.content)
        changed[self.table + number * 56:self.table + number * 56 + 56] = segment.packed()
        return bytes(changed)

    def with_bytes(self, offset, replacement):
        changed = bytearray(self.content)
        changed[offset:offset + len(replacement)] = replacement
        return bytes(changed)
