"""Bad input: each has a clear line, an exit code of its own, and no panic."""

import struct
import subprocess

from boot import BUSYBOX, BootTest, native
from elf_files import EXECUTE, READ, WRITE, ElfFile

from reprise.archive import Archive

FIRST_ERROR = 0x20
# user/loader/error.hpp, in its order: the position is part of the exit code.
ERRORS = ["no-program", "empty-module", "module-string", "not-elf", "elf-32bit", "elf-machine",
          "elf-dynamic", "elf-truncated", "elf-malformed", "elf-overlap", "elf-writable-code",
          "elf-address", "no-personality", "bad-archive", "bad-argument", "out-of-memory",
          "bad-grant", "no-init", "abi-version", "name-taken"]


class BootErrorTest(BootTest):
    def assert_refused(self, outcome, word, advice):
        """One `error` event of that code, the exit code that belongs to it, a line for people that
        says what is wrong or what to do, and nothing left running or broken."""
        self.assert_boot_error(outcome, word)
        self.assertEqual(outcome.value, FIRST_ERROR + ERRORS.index(word))
        self.assertTrue(any(advice in line for line in outcome.people_lines()),
                        f"no line says {advice!r}")

    def boot_file(self, content, text="program=bad bad", **settings):
        """Boots a file of that content as a boot module."""
        path = self.scratch / "module"
        path.write_bytes(content)
        return self.boot([], contents={"modules": [(path, text)]}, **settings)

    def good(self):
        return ElfFile(native("compute").read_bytes())


class BadPrograms(BootErrorTest):
    def test_no_program_at_all_is_refused(self):
        self.assert_refused(self.boot([]), "no-program", "give a boot module with the string program=")

    def test_an_empty_program_is_refused(self):
        self.assert_refused(self.boot_file(b""), "empty-module", "the boot module is empty")

    def test_a_text_file_is_refused(self):
        self.assert_refused(self.boot_file(b"#!/bin/sh\necho hello\n"), "not-elf", "not an ELF file")

    def test_a_32_bit_program_is_refused(self):
        source, program = self.scratch / "p.c", self.scratch / "p32"
        source.write_text("void _start(void) { for (;;); }\n")
        made = subprocess.run(["gcc", "-m32", "-static", "-nostdlib", "-o", program, source],
                              capture_output=True, check=False)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assert_refused(self.boot_file(program.read_bytes()), "elf-32bit", "a 32-bit ELF file")

    def test_a_program_for_another_machine_is_refused(self):
        content = self.good().with_bytes(18, struct.pack("<H", 183))  # e_machine: AArch64
        self.assert_refused(self.boot_file(content), "elf-machine", "for another machine")

    def test_a_dynamically_linked_program_is_told_how_to_link(self):
        source, program = self.scratch / "p.c", self.scratch / "dynamic"
        source.write_text("int main(void) { return 0; }\n")
        subprocess.run(["gcc", "-o", program, source], check=True)
        self.assert_refused(self.boot_file(program.read_bytes()), "elf-dynamic", "gcc -static")

    def test_truncated_headers_and_segments_are_refused(self):
        content = bytes(self.good().content)
        for size in (40, 100, 4096):
            with self.subTest(bytes=size):
                self.assert_refused(self.boot_file(content[:size]), "elf-truncated",
                                    "ends before its headers or segments do")

    def test_headers_that_contradict_each_other_are_refused(self):
        good = self.good()
        number, segment = good.loads()[0]
        content = good.with_segment(number, memsz=segment.filesz - 1)
        self.assert_refused(self.boot_file(content), "elf-malformed", "contradict each other")

    def test_segments_that_overlap_are_refused(self):
        good = self.good()
        (_, first), *_, (last, _) = good.loads()
        content = good.with_segment(last, vaddr=first.vaddr, offset=first.offset, filesz=16, memsz=16)
        self.assert_refused(self.boot_file(content), "elf-overlap", "share a page")

    def test_a_segment_both_writable_and_executable_is_refused(self):
        good = self.good()
        number, _ = good.loads()[0]
        content = good.with_segment(number, flags=READ | WRITE | EXECUTE)
        self.assert_refused(self.boot_file(content), "elf-writable-code",
                            "both writable and executable")

    def test_segments_in_the_kernels_half_or_where_no_program_may_lie_are_refused(self):
        good = self.good()
        number, segment = good.loads()[-1]
        low = segment.vaddr % 4096
        for base in (0xFFFFFFFF80000000, 0xFFFF800000000000, 0x00007FFFFFFFF000, 0):
            with self.subTest(address=hex(base)):
                content = good.with_segment(number, vaddr=base + low)
                self.assert_refused(self.boot_file(content), "elf-address",
                                    "outside the addresses that programs may use")

    def test_a_linux_program_without_a_personality_is_refused(self):
        missing = self.scratch / "no-such-file"
        outcome = self.boot([[BUSYBOX, "true"]], contents={"personality": missing, "drivers": ()})
        self.assert_refused(outcome, "no-personality", "no boot module holds the personality")

    def test_a_boot_without_init_is_refused(self):
        missing, empty = self.scratch / "no-such-file", self.scratch / "empty"
        empty.write_bytes(b"")
        for file in (missing, empty):
            with self.subTest(file=file.name):
                outcome = self.boot([["compute", "1000"]], contents={"init": file})
                self.assert_refused(outcome, "no-init", "no boot module holds init")

    def test_an_init_that_cannot_be_run_ends_the_machine(self):
        path = self.scratch / "module"
        path.write_bytes(b"no program")
        outcome = self.boot([["compute", "1000"]], contents={"init": path})
        self.assertEqual(outcome.value, FIRST_ERROR + ERRORS.index("not-elf"))
        self.assertEqual(len(outcome.events("init-ended")), 1)
        self.assertEqual(outcome.events("exit"), [])

    def test_a_native_program_for_another_abi_is_refused(self):
        content = bytearray(self.good().content)
        version = content.index(b"Reprise\0") + 8
        content[version] += 1
        self.assert_refused(self.boot_file(bytes(content)), "abi-version", "build it again")

    def test_a_program_too_large_for_the_machine_is_refused(self):
        # 15 GiB of zeros cost 30 MiB of page tables alone: a machine of 64 MiB has room for two. All
        # load at once; which of them comes too late is nobody's business.
        good = self.good()
        number, segment = good.loads()[-1]
        path = self.scratch / "module"
        path.write_bytes(good.with_segment(number, memsz=segment.memsz + (15 << 30)))
        modules = [(path, f"program={name} compute 1000") for name in ("one", "two", "three")]
        outcome = self.boot([], contents={"modules": modules}, memory=64)
        self.assert_refused(outcome, "out-of-memory", "not enough memory to start")
        refused = outcome.events("error")[0]["subject"]
        for name in {"one", "two", "three"} - {refused}:
            self.assertEqual(outcome.exit_event(name)["status"], "0")

    def test_a_bad_program_does_not_keep_a_good_one_from_running(self):
        path = self.scratch / "module"
        path.write_bytes(b"no program")
        outcome = self.boot([["compute", "1000"]],
                            contents={"modules": [(path, "program=bad bad")]})
        self.assert_refused(outcome, "not-elf", "bad: not an ELF file")
        self.assertEqual(outcome.exit_event("compute")["status"], "0")


class BadModules(BootErrorTest):
    def test_a_module_string_without_a_role_is_refused(self):
        for text in ("", "compute", "program=", "program=a,b", "kernel"):
            with self.subTest(string=text):
                outcome = self.boot([], contents={"modules": [(native("compute"), text)]})
                self.assert_refused(outcome, "module-string", "must begin with program=NAME")

    def test_a_module_string_of_too_many_words_is_refused_by_a_line_that_says_so(self):
        outcome = self.boot([["compute", *["1"] * 200]])
        self.assert_refused(outcome, "module-string", "at most 128 words and 16384 characters")
        self.assertEqual(outcome.events("error")[0]["subject"][:24], "program=compute compute ")

    def test_a_name_is_given_once(self):
        for name in ("compute", "init", "clock"):
            with self.subTest(name=name):
                module = (native("compute"), f"program={name} compute 2000")
                drivers = {"contents": {"modules": [module], "drivers": ("clock",)}}
                outcome = self.boot([["compute", "1000"]], **drivers)
                self.assert_refused(outcome, "name-taken", f"{name}: another program or driver")
                self.assertEqual(outcome.exit_event("compute")["status"], "0")
                self.assertEqual(len(outcome.events("exit")), 1)

    def test_there_is_one_archive(self):
        path = self.scratch / "archive"
        Archive().write(path)
        modules = [(path, "archive"), (path, "archive")]
        outcome = self.boot([["compute", "1000"]], contents={"modules": modules})
        self.assert_refused(outcome, "name-taken", "archive: another")

    def test_a_broken_archive_is_refused(self):
        archive = Archive()
        archive.add_bytes("file", b"x" * 1000)
        path = self.scratch / "archive"
        archive.write(path)
        whole = path.read_bytes()
        broken = {"cut off": whole[:700], "no archive": b"PK\3\4" + whole[4:],
                  "no number": whole[:54] + b"zz" + whole[56:], "no end": whole[:whole.rindex(b"0707")]}
        for what, content in broken.items():
            with self.subTest(what):
                path.write_bytes(content)
                outcome = self.boot([["compute", "1000"]], archive=path,
                                    contents={"drivers": ()})  # each would refuse it, too
                self.assert_refused(outcome, "bad-archive", "not a whole cpio file")

    def test_an_empty_archive_is_refused(self):
        path = self.scratch / "archive"
        path.write_bytes(b"")
        self.assert_refused(self.boot([["compute", "1000"]], archive=path), "empty-module",
                            "the boot module is empty")


class BadArguments(BootErrorTest):
    def assert_argument_refused(self, argument, *said):
        outcome = self.boot([["compute", "1000"]], argument)
        self.assert_refused(outcome, "bad-argument", "unknown or malformed boot argument")
        self.assertEqual(outcome.events("error")[0]["subject"], argument)
        for text in said:
            self.assertTrue(any(text in line for line in outcome.people_lines()), text)
        self.assertEqual(outcome.events("exit"), [], "a program was started all the same")

    def test_an_unknown_argument_is_refused(self):
        self.assert_argument_refused("polcy=rotate", "unknown", "docs/running.md")

    def test_a_malformed_value_is_refused_with_what_is_allowed(self):
        self.assert_argument_refused("policy=fast", "malformed", "policy=rotate|classic")

    def test_a_number_out_of_range_is_refused(self):
        self.assert_argument_refused("pe.pages=3", "pe.pages=4 to 512")

    def test_a_malformed_injection_is_refused_with_the_part_that_is_wrong(self):
        self.assert_argument_refused("inject=compute:1:3:rax:7", "RUN: 1 or 2")

    def test_a_flag_of_the_kernels_cannot_be_flipped(self):
        self.assert_argument_refused("inject=compute:1:1:rflags:9", "which ring 3 can set")


class UnfitMachines(BootTest):
    def assert_unfit(self, outcome, missing):
        self.assertEqual(outcome.value, 0x14)
        error, = outcome.events("error")
        self.assertEqual((error["code"], error["missing"]), ("machine-unfit", missing))
        self.assertTrue(outcome.people_lines())

    def test_a_32_bit_cpu_is_refused_by_name(self):
        self.assert_unfit(self.boot([["compute"]], cpu="qemu32"), "long-mode")

    def test_a_cpu_without_nx_is_refused_by_name(self):
        self.assert_unfit(self.boot([["compute"]], cpu="qemu64,-nx"), "nx")

    def test_too_little_memory_is_refused_by_size(self):
        outcome = self.boot([["compute"]], memory=24)
        self.assert_unfit(outcome, "memory")
        error, = outcome.events("error")
        self.assertLess(error.number("found_bytes"), error.number("needed_bytes"))
