"""Bad input: each has a clear line, an exit code of its own, and no panic.

One boot holds many bad files, because each is refused for itself. All the ways in which a file, a
module's string or an argument can be wrong are tests of the host (tests/user/init,
tests/user/loader): here stands one of each kind, as far as a boot shows more.
"""

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

    def assert_all_refused(self, outcome, expected):
        """For each subject of `expected` one `error` event of its code, and a line for people with
        its name and its advice: {subject: (code, advice)}. The exit code is the first error's."""
        errors = outcome.events("error")
        self.assertEqual({event["subject"]: event["code"] for event in errors},
                         {subject: code for subject, (code, _) in expected.items()})
        self.assertEqual(len(errors), len(expected))
        for subject, (_, advice) in expected.items():
            self.assertTrue(any(line.startswith(f"[reprise] {subject}: ") and advice in line
                                for line in outcome.people_lines()), f"{subject}: {advice}")
        self.assertEqual(outcome.value, FIRST_ERROR + ERRORS.index(errors[0]["code"]))
        self.assertEqual(outcome.events("panic"), [])

    def file(self, name, content):
        path = self.scratch / name
        path.write_bytes(content)
        return path

    def good(self):
        return ElfFile(native("compute").read_bytes())


class BadPrograms(BootErrorTest):
    def compiled(self, source, *options):
        """What gcc makes of a program."""
        text, program = self.scratch / "p.c", self.scratch / "compiled"
        text.write_text(source)
        made = subprocess.run(["gcc", *options, "-o", program, text], capture_output=True)
        self.assertEqual(made.returncode, 0, made.stderr)
        return program.read_bytes()

    def bad_files(self):
        """{name: (content, code, advice)}"""
        good = self.good()
        whole = bytes(good.content)
        first, segment = good.loads()[0]
        last, end = good.loads()[-1]
        other_abi = bytearray(whole)
        other_abi[whole.index(b"Reprise\0") + 8] += 1
        cut = "ends before its headers or segments do"
        return {
            "empty": (b"", "empty-module", "the boot module is empty"),
            "text": (b"#!/bin/sh\necho hello\n", "not-elf", "not an ELF file"),
            "short": (self.compiled("void _start(void) { for (;;); }\n",
                                    "-m32", "-static", "-nostdlib"), "elf-32bit", "a 32-bit ELF file"),
            "foreign": (good.with_bytes(18, struct.pack("<H", 183)),  # e_machine: AArch64
                        "elf-machine", "for another machine"),
            "dynamic": (self.compiled("int main(void) { return 0; }\n"),
                        "elf-dynamic", "gcc -static"),
            "cut-header": (whole[:40], "elf-truncated", cut),
            "cut-table": (whole[:100], "elf-truncated", cut),
            "cut-segment": (whole[:4096], "elf-truncated", cut),
            "contradiction": (good.with_segment(first, memsz=segment.filesz - 1),
                              "elf-malformed", "contradict each other"),
            "overlap": (good.with_segment(last, vaddr=segment.vaddr, offset=segment.offset,
                                          filesz=16, memsz=16), "elf-overlap", "share a page"),
            "writable-code": (good.with_segment(first, flags=READ | WRITE | EXECUTE),
                              "elf-writable-code", "both writable and executable"),
            "other-abi": (bytes(other_abi), "abi-version", "build it again"),
            **{name: (good.with_segment(last, vaddr=base + end.vaddr % 4096),
                      "elf-address", "outside the addresses that programs may use")
               for name, base in {"kernel": 0xFFFFFFFF80000000, "upper-half": 0xFFFF800000000000,
                                  "highest": 0x00007FFFFFFFF000, "zero": 0}.items()},
        }

    def test_each_bad_program_is_refused_for_itself_and_a_good_one_runs(self):
        files = self.bad_files()
        modules = [(self.file(name, content), f"program={name} {name}")
                   for name, (content, *_) in files.items()]
        outcome = self.boot([["compute", "1000"]], contents={"modules": modules})
        self.assert_all_refused(outcome, {name: said for name, (_, *said) in files.items()})
        self.assertEqual(outcome.exit_event("compute")["status"], "0")
        # One ends before there is a process of it.
        self.assertEqual({event["process"] for event in outcome.events("exit")},
                         {"compute", *files} - {"empty"})

    def test_no_program_at_all_is_refused(self):
        self.assert_refused(self.boot([]), "no-program",
                            "give a boot module with the string program=")

    def test_a_linux_program_without_a_personality_is_refused(self):
        missing = self.scratch / "no-such-file"
        outcome = self.boot([[BUSYBOX, "true"]], contents={"personality": missing, "drivers": ()})
        self.assert_refused(outcome, "no-personality", "no boot module holds the personality")

    def test_a_boot_without_init_is_refused(self):
        for file in (self.scratch / "no-such-file", self.file("empty", b"")):
            with self.subTest(file=file.name):
                outcome = self.boot([["compute", "1000"]], contents={"init": file})
                self.assert_refused(outcome, "no-init", "no boot module holds init")

    def test_an_init_that_cannot_be_run_ends_the_machine(self):
        init = self.file("init", b"no program")
        outcome = self.boot([["compute", "1000"]], contents={"init": init})
        self.assertEqual(outcome.value, FIRST_ERROR + ERRORS.index("not-elf"))
        self.assertEqual(len(outcome.events("init-ended")), 1)
        self.assertEqual(outcome.events("exit"), [])

    def test_a_program_too_large_for_the_machine_is_refused(self):
        good = self.good()
        number, segment = good.loads()[-1]
        path = self.file("large", good.with_segment(number, memsz=segment.memsz + (15 << 30)))
        modules = [(path, "program=large compute 1000"), (native("compute"), "program=small compute 1000")]
        outcome = self.boot([], contents={"modules": modules}, memory=68)
        self.assert_refused(outcome, "out-of-memory", "not enough memory to start")
        self.assertEqual(outcome.events("error")[0]["subject"], "large")
        self.assertEqual(outcome.exit_event("small")["status"], "0")


class BadModules(BootErrorTest):
    def test_modules_without_a_role_or_a_name_of_their_own_are_refused_and_the_others_serve(self):
        archive = Archive()
        archive.add_bytes("file", b"found\n")
        whole = self.scratch / "archive"
        archive.write(whole)
        native_file = native("compute")
        no_role = ["compute", "program=", "program=a,b", "kernel", "then", f"program=long{' 1' * 200}"]
        modules = [(native_file, text) for text in ["", *no_role]]
        modules += [(native_file, f"program={name} compute 2000")
                    for name in ("compute", "init", "clock")]
        modules += [(whole, "archive"), (whole, "archive")]
        modules += [(native_file, "then flush=some program=stage")]
        outcome = self.boot([["compute", "1000"], [BUSYBOX, "cat", "file"]], archive=whole,
                            contents={"modules": modules})
        errors = outcome.events("error")
        self.assertEqual(sorted(event["code"] for event in errors),
                         ["module-string"] * 8 + ["name-taken"] * 5)
        self.assertEqual({event["subject"] for event in errors if event["code"] == "name-taken"},
                         {"compute", "init", "clock", "archive"})
        lines = outcome.people_lines()
        for advice in ("must begin with program=NAME", "at most 128 words and 16384 characters",
                       "compute: another program or driver", "archive: another",
                       "flush=some: malformed; allowed: flush=none|touched|all"):
            self.assertTrue(any(advice in line for line in lines), advice)
        self.assertEqual(outcome.value, FIRST_ERROR + ERRORS.index(errors[0]["code"]))
        self.assertEqual(outcome.program_output().count("found\n"), 1)
        # No refused program was started all the same.
        self.assertEqual(sorted((event["process"], event["status"])
                                for event in outcome.events("exit")), [("busybox", "0"), ("compute", "0")])

    def test_a_broken_archive_is_refused(self):
        archive = Archive()
        archive.add_bytes("file", b"x" * 1000)
        path = self.scratch / "archive"
        archive.write(path)
        path.write_bytes(path.read_bytes()[:700])
        outcome = self.boot([["compute", "1000"]], archive=path,
                            contents={"drivers": ()})  # each would refuse it, too
        self.assert_refused(outcome, "bad-archive", "not a whole cpio file")

    def test_an_empty_archive_is_refused(self):
        outcome = self.boot([["compute", "1000"]], archive=self.file("archive", b""))
        self.assert_refused(outcome, "empty-module", "the boot module is empty")


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
        self.assert_argument_refused("pe.pages=3", "malformed", "pe.pages=4 to 65536")

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
