"""The plugin that flips bits from outside the machine (tests/fault_plugin): it strikes exactly where it is told, a program
sees what it did, and Reprise catches it."""

import struct
import subprocess
from dataclasses import dataclass

from boot import BootTest
from elf_files import EXECUTE, HEADER, LOAD, READ, WRITE, Segment
from reprise import image, tree
from reprise.campaign import outer

BASE, CODE = 0x400000, 0x1000  # of the program: where it stands, where its code begins
DATA = BASE + 2 * CODE         # a page that it may write, where it has one
ENTRY = BASE + CODE
NEXT = bytes.fromhex("eb00")  # a jump to the next instruction: a translation block of its own
SLED = 40                     # of these
EXIT_WITH_RAX = bytes.fromhex("89c7 b83c000000 0f05")  # mov edi, eax; mov eax, 60; syscall
ZERO_RAX = bytes.fromhex("31c0")
QUIET = "report=short console=serial"
LIMIT_STATUS = 98
MOST = 1_000_000_000          # instructions of a run here
SIGSEGV_STATUS = 128 + 11


@dataclass
class Strike:
    at: int
    rip: int
    ring: int
    before: int
    after: int


# A macro: 800,000 instructions that use no memory. The kernel needs some ten thousand for a page that is new.
SETTLE = """
%macro settle 0
    mov ecx, 400_000
%%again:
    dec ecx
    jnz %%again
%endmacro
"""
SETTLED = 500_000
# Each line uses bytes of the data page that no other line uses. What follows the semicolon: offset, and what a watch there sees.
# A byte that the program leaves alone is wiped by the kernel in the end, or kept.
USES = """
    mov rax, [data]                         ; 0 read, 7 read, 8 alone
    mov [data + 64], rax                    ; 64 written, 71 written, 72 alone
    mov byte [data + 128], 1                ; 128 written, 129 alone
    lock xadd [data + 192], rax             ; 192 read, 199 read
    add dword [data + 256], 1               ; 256 read, 260 alone
    bts dword [data + 264], eax             ; 264 read
    lea rsi, [data + 320]
    lea rdi, [data + 384]
    mov ecx, 16
    rep movsb                               ; 320 read, 335 read, 336 alone, 384 written, 399 written, 400 alone
    fxsave [data + 512]                     ; 536 written, 672 written
    fxrstor [data + 1024]                   ; 1048 read, 1184 read
    mov eax, 7
    xor edx, edx
    xsave [data + 1536]                     ; 1560 written, 2048 read
    xrstor [data + 2560]                    ; 3072 read
    vmovdqu ymm3, [data + 3584]             ; 3584 read, 3615 read, 3616 alone
    vmovdqu [data + 3648], ymm3             ; 3648 written, 3679 written
    xor eax, eax
    xor ecx, ecx
    cmpxchg16b [data + 3712]                ; 3712 read, 3727 read
    vpxor ymm1, ymm1, ymm1
    vpcmpeqd ymm2, ymm2, ymm2
    vpgatherdd ymm0, [data + 3776 + ymm1], ymm2  ; 3776 read, 3779 read, 3780 alone
    mov eax, -1
    vmovd xmm2, eax
    vpmaskmovd [data + 3840], ymm2, ymm3    ; 3840 written, 3843 written, 3844 alone
    vpmaskmovd ymm4, ymm2, [data + 3904]    ; 3904 read
    mov rsp, data + 4096
    push rax                                ; 4088 written
"""


def elf_of(code, data=0):
    """A static Linux program that is this code, with so many bytes of data."""
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    segments = [Segment(LOAD, READ | EXECUTE, CODE, ENTRY, ENTRY, len(code), len(code), CODE)]
    if data:
        segments.append(Segment(LOAD, READ | WRITE, 0, DATA, DATA, 0, data, CODE))
    header = HEADER.pack(ident, 2, 62, 1, ENTRY, HEADER.size, 0, 0, HEADER.size, 56, len(segments), 64, 0, 0)
    return (header + b"".join(each.packed() for each in segments)).ljust(CODE, b"\0") + code


class FaultPlugin(BootTest):
    def strike(self, code, args="", marker=ENTRY, data=0, **fault):
        """Boots a program that is `code` with that fault; the outcome, and the report's lines by their first word."""
        outcome, text = self.report_of(code, args, marker, data, **fault)
        return outcome, dict(line.split(" ", 1) for line in text.splitlines())

    def report_of(self, code, args="", marker=ENTRY, data=0, **fault):
        program = self.scratch / "victim"
        program.write_bytes(elf_of(code, data))
        report = self.scratch / "report"
        words = {"report": report, "marker": hex(marker), "code": code[:16].hex() if marker == ENTRY else None, "limit": MOST, **fault}
        plugin = ",".join([str(tree.build_dir() / "bin" / "fault_plugin.so"),
                           *(f"{key}={value}" for key, value in words.items() if value is not None)])
        outcome = self.boot([image.Program(program, ["victim"])], f"{QUIET} {args}", extra=["-plugin", plugin])
        return outcome, report.read_text()

    def fields_of(self, lines):
        return {key: int(value, 0) for key, value in (word.split("=") for word in lines["fault"].split())}

    def strike_of(self, lines):
        fields = self.fields_of(lines)
        return Strike(**{key: fields[key] for key in ("at", "rip", "ring", "before", "after")})

    def status_after(self, code, **fault):
        """The exit status of a program that runs once, with a fault in its sled."""
        outcome, lines = self.strike(code, "harden=none", at=20, **fault)
        strike = self.strike_of(lines)
        self.assertEqual((strike.at, strike.ring), (20, 3))
        return outcome.exit_event("victim").number("status")

    def test_it_strikes_at_the_instruction_that_is_named_and_the_program_sees_it(self):
        code = ZERO_RAX + NEXT * SLED + EXIT_WITH_RAX
        for at in (2, SLED + 1):
            outcome, lines = self.strike(code, "harden=none", at=at, target="rax", bit=4)
            # Instruction 0 is the one that clears RAX.
            expected = Strike(at, ENTRY + len(ZERO_RAX) + len(NEXT) * (at - 1), 3, 0, 16)
            self.assertEqual(self.strike_of(lines), expected)
            self.assertEqual(outcome.exit_event("victim").number("status"), 16)

    def test_it_reaches_flags_and_the_upper_half_of_vector_registers(self):
        # RAX := the carry flag.
        carry = ZERO_RAX + NEXT * SLED + bytes.fromhex("0f92c0") + EXIT_WITH_RAX
        self.assertEqual(self.status_after(carry, target="rflags", bit=0), 1)
        # YMM5 := 0, and at the end RAX := its upper half's low word.
        upper = bytes.fromhex("c5d1efed") + NEXT * SLED + bytes.fromhex("c4e37d19e801 c4e1f97ec0") + EXIT_WITH_RAX
        self.assertEqual(self.status_after(upper, target="ymm5", bit=128 + 3), 8)

    def test_each_fault_model_changes_its_bits_and_a_stuck_bit_stays(self):
        # RAX is cleared once more five instructions behind the fault.
        code = ZERO_RAX + NEXT * 24 + ZERO_RAX + NEXT * 16 + EXIT_WITH_RAX
        self.assertEqual(self.status_after(code, target="rax", bit=4), 0)
        self.assertEqual(self.status_after(code, target="rax", bit=4, model="stuck", **{"for": 10}), 16)
        plain = ZERO_RAX + NEXT * SLED + EXIT_WITH_RAX
        self.assertEqual(self.status_after(plain, target="rax", bit=4, model="pair"), 0x30)
        self.assertEqual(self.status_after(plain, target="rax", bit=4, model="byte"), 0xff)

    def test_a_flip_from_outside_is_caught_where_the_program_runs_twice(self):
        outcome, lines = self.strike(ZERO_RAX + NEXT * SLED + EXIT_WITH_RAX, at=20, target="rax", bit=4)
        self.assert_clean(outcome)
        self.assertEqual(self.strike_of(lines).ring, 3)
        verdicts, = outcome.events("verdicts")
        self.assertEqual((verdicts["mismatches"], verdicts["restarts"], verdicts["by_registers"]), ("1", "1", "1"))

    def test_a_word_of_the_kernels_memory_is_hit(self):
        # The first word of the kernel's code: its file says what stands there.
        kernel = tree.kernel().read_bytes()
        header = HEADER.unpack_from(kernel)
        segments = [struct.unpack_from("<IIQQQQQQ", kernel, header[5] + n * 56) for n in range(header[10])]
        code = next(s for s in segments if s[0] == LOAD and s[1] == READ | EXECUTE and s[3] > 1 << 63)
        offset, physical = code[2], code[4]
        _, lines = self.strike(ZERO_RAX + NEXT * SLED + EXIT_WITH_RAX, at=20, target="memory", address=hex(physical), bit=9)
        before = int.from_bytes(kernel[offset:offset + 8], "little")
        strike = self.strike_of(lines)
        self.assertEqual((strike.before, strike.after), (before, before ^ 1 << 9))

    def test_the_page_tables_of_the_program_are_walked_and_one_of_their_words_is_hit(self):
        # The entry of each table on the way to the program's own page. The top level's 256 words come first, then the table that
        # its first entry names, and so on.
        code = ZERO_RAX + NEXT * SLED + EXIT_WITH_RAX
        present, user, frame = 1, 4, 0xf_ffff_ffff_f000
        for draw, index in ((0, 0), (256, BASE >> 30), (256 + 512 + (BASE >> 21), BASE >> 21)):
            with self.subTest(draw=draw):
                _, lines = self.strike(code, "harden=none", at=20, target="page-tables", draw=draw, bit=62)
                fields = self.fields_of(lines)
                self.assertEqual((fields["at"], fields["ring"]), (20, 3))
                self.assertEqual(fields["before"] & (present | user), present | user)
                self.assertEqual(fields["after"], fields["before"] ^ 1 << 62)
                self.assertEqual(fields["address"] % 4096, index * 8)
                self.assertEqual(fields["words"] % 512, 256)
                if draw == 0:
                    self.assertEqual(fields["address"], fields["cr3"] & frame)
                else:
                    self.assertEqual(fields["address"] & frame, below & frame)
                below = fields["before"]
                # As many more as there are words: the same word.
                _, again = self.strike(code, "harden=none", at=20, target="page-tables", draw=draw + fields["words"], bit=62)
                self.assertEqual(again["fault"], lines["fault"])

    def test_what_a_flip_takes_out_of_the_page_tables_is_gone_for_every_run(self):
        # The present bit of the top level's first entry. The run that is struck may differ from the other; the restart mends
        # nothing, as page tables are no part of the snapshot.
        outcome, lines = self.strike(ZERO_RAX + NEXT * SLED + EXIT_WITH_RAX, at=20, target="page-tables", draw=0, bit=0)
        self.assertEqual(self.strike_of(lines).after & 1, 0)
        self.assertEqual(outcome.exit_event("victim").number("status"), SIGSEGV_STATUS)
        verdicts, = outcome.events("verdicts")
        self.assertEqual((verdicts["restarts"], verdicts["by_exception"]), ("1", "1"))

    def assembled(self, text):
        source, binary = self.scratch / "code.asm", self.scratch / "code"
        source.write_text(f"bits 64\ndefault abs\n{SETTLE}org {ENTRY:#x}\ndata equ {DATA:#x}\n{text}\n")
        subprocess.run(["nasm", "-f", "bin", "-o", binary, source], check=True)
        return binary.read_bytes()

    def entry_of_page(self, code, page):
        """The word of the last page table for a page of the program, which must be there at instruction SETTLED."""
        _, lines = self.strike(code, "harden=none", data=4096, at=SETTLED, target="page-tables",
                               draw=256 + 512 + 512 + (page >> 12) % 512, bit=62)
        fields = self.fields_of(lines)
        return fields["address"], fields["before"] & 0xf_ffff_ffff_f000

    def watched(self, code, bytes_, **more):
        """What becomes of physical bytes from instruction SETTLED on."""
        watches = self.scratch / "watches"
        watches.write_text("".join(f"{SETTLED} {byte}\n" for byte in bytes_))
        outcome, text = self.report_of(code, "harden=none", data=4096, watch=watches, **more)
        self.assert_clean(outcome)
        found = outer.read_watches(text)
        self.assertEqual([found[number].at for number in range(len(bytes_))], [SETTLED] * len(bytes_))
        return [found[number] for number in range(len(bytes_))]

    def test_each_kind_of_access_to_a_watched_byte_is_seen(self):
        code = self.assembled(f"    mov byte [data + 4080], 1\n    settle\n{USES}"
                              "    xor edi, edi\n    mov eax, 60\n    syscall\nnever: nop")
        entry, data = self.entry_of_page(code, DATA)
        _, text = self.entry_of_page(code, ENTRY)
        expected = [word.split() for line in USES.splitlines() if ";" in line for word in line.partition(";")[2].split(",")]
        bytes_ = [data + int(offset) for offset, _ in expected]
        # Code that is still to run, code that never is, and a word that only the processor reads.
        more = [(text + len(code) - 2, "read"), (text + len(code) - 1, "alone"), (entry, "unseen")]
        found = self.watched(code, bytes_ + [byte for byte, _ in more])
        for (offset, end), watched in zip(expected + more, found, strict=True):
            with self.subTest(offset=offset, end=end):
                by_program = ENTRY <= watched.by < ENTRY + len(code)
                if end == "alone":
                    self.assertIn(watched.end, outer.DEAD)
                    self.assertFalse(by_program)
                else:
                    self.assertEqual(watched.end, end)
                    self.assertEqual(by_program, end != "unseen")

    def test_two_watches_of_a_byte_are_of_one_interval_until_it_is_used(self):
        code = self.assembled(f"    mov byte [data], 1\n    settle\n    mov al, [data]\n    settle\n    mov al, [data]\n"
                              "    xor edi, edi\n    mov eax, 60\n    syscall")
        _, data = self.entry_of_page(code, DATA)
        watches = self.scratch / "watches"
        watches.write_text("".join(f"{at} {data}\n" for at in (1_300_000, 1_400_000, 500_000, 600_000)))
        _, text = self.report_of(code, "harden=none", data=4096, watch=watches)
        found = outer.read_watches(text)
        self.assertEqual([found[number].end for number in range(4)], ["read"] * 4)
        late, later, early, earlier = (found[number].interval for number in range(4))
        self.assertEqual((late == later, early == earlier, early == late), (True, True, False))

    def test_a_run_that_does_not_end_is_ended_at_its_limit(self):
        outcome, lines = self.strike(NEXT * SLED + bytes.fromhex("ebfe"), limit=3_000_000)
        self.assertEqual(outcome.status, LIMIT_STATUS)
        self.assertEqual(lines["limit"], "at=3000000")
