"""Programs nobody here wrote print and return what they do on Linux, with every PE run twice.

Several run at once where their lines can be told apart; what a program prints arrives line by line.
"""

import random
import shutil
from pathlib import Path

from boot import BUSYBOX, TOP, BootTest, linux, long_test
from reference import make_tree, on_linux, printed_bytes

from reprise import image
from reprise.archive import Archive

GOLDEN = Path(__file__).parent / "golden"


class LinuxProgramsTest(BootTest):
    def setUp(self):
        super().setUp()
        self.tree = self.scratch / "tree"
        self.tree.mkdir()
        make_tree(self.tree)

    def boot_like_linux(self, programs, says=(), **settings):
        """Boots the programs (argv each) at once. Every one must end as on Linux, and the console
        must hold exactly what they print there: each one's lines in their order, and no other but
        `says`, what the personality itself says of refusals."""
        archive = Archive()
        archive.add_tree(self.tree)
        programs = [[str(word) for word in argv] for argv in programs]
        named = [image.Program(argv[0], argv, f"p{n}") for n, argv in enumerate(programs)]
        expected = [on_linux(argv, self.tree) for argv in programs]
        outcome = self.boot(named, archive=archive, **settings)
        for program, (_, status) in zip(named, expected):
            ended = outcome.exit_event(program.name)
            self.assertIsNotNone(ended, f"{program.argv} has not ended")
            self.assertEqual(ended.number("status"), status, program.argv)
        said = [f"linux: {line}\n".encode() for line in says]
        self.assert_output_of_all(outcome, [output for output, _ in expected] + said)
        self.assert_all_ran_twice(outcome, len(programs))
        return outcome

    def assert_output_of_all(self, outcome, outputs):
        got = outcome.program_output().splitlines()
        texts = [output.decode().splitlines() for output in outputs]
        if len(texts) == 1:
            self.assertEqual(got, texts[0])
        self.assertEqual(sorted(got), sorted(line for text in texts for line in text))
        for text in texts:
            rest = iter(got)
            for line in text:
                self.assertIn(line, rest, "the lines of one program are out of order")

    def assert_all_ran_twice(self, outcome, programs):
        self.assert_no_mismatch(outcome)
        verdicts = outcome.events("verdicts")
        self.assertEqual(len(verdicts), programs)
        for event in verdicts:
            self.assertEqual(event["first_runs"], event["pes"], event)
            self.assertEqual(event["second_runs"], event["pes"], event)
        for times in outcome.events("times"):
            self.assertGreater(times.number("second_run_ns"), 0, times)


class Busybox(LinuxProgramsTest):
    cost = 10

    def test_busybox_digests_and_filters_as_on_linux(self):
        self.boot_like_linux([
            [BUSYBOX, "sha256sum", "lines", "small", "files.tar"],
            [BUSYBOX, "md5sum", "lines", "packed.bz2"],
            [BUSYBOX, "awk", "{ n[$2] += $1 } END { for (w in n) print w, n[w] }", "small"],
            [BUSYBOX, "sed", "-n", "s/commit/COMMIT/gp", "small"],
            [BUSYBOX, "tar", "tvf", "files.tar"],
            [BUSYBOX, "printf", "%05d|%-8s|%x|%s\\n", "42", "left", "255", "end"],
            [BUSYBOX, "bc", "-l", "sums.bc"],
            [BUSYBOX, "false"],
        ])

    def test_busybox_walks_a_tree_as_on_linux(self):
        # The order of a directory's entries is the file system's; theirs is sorted here, because
        # the archive's is.
        self.boot_like_linux([
            [BUSYBOX, "grep", "-r", "restart", "tree/deep/er"],
            [BUSYBOX, "ls", "-R", "tree"],
            [BUSYBOX, "readlink", "tree/link"],
            [BUSYBOX, "stat", "-c", "%n %s %a %h %F %Y", "tree/one", "tree/deep/three"],
            [BUSYBOX, "test", "-d", "tree/one"],
            [BUSYBOX, "wc", "tree/deep/three", "lines"],
        ])

    def test_busybox_sorts_as_on_linux(self):
        self.boot_like_linux([[BUSYBOX, "sort", "-k2", "-k1n", "lines"]])

    def test_busybox_find_and_grep_r_give_what_they_give_on_linux(self):
        for argv in ([BUSYBOX, "find", "tree"], [BUSYBOX, "grep", "-rc", "page", "tree"]):
            output, status = on_linux(argv, self.tree)
            archive = Archive()
            archive.add_tree(self.tree)
            outcome = self.boot([argv], archive=archive)
            self.assertEqual(outcome.exit_event("busybox").number("status"), status)
            self.assertEqual(sorted(outcome.program_output().splitlines()),
                             sorted(output.decode().splitlines()))
            self.assert_all_ran_twice(outcome, 1)

    def test_busybox_unpacks_as_on_linux(self):
        self.boot_like_linux([[BUSYBOX, "bunzip2", "-c", "packed.bz2"]])

    def test_busybox_gzip_gives_the_same_bytes_as_on_linux(self):
        self.boot_for_bytes([BUSYBOX, "gzip", "-c", "lines"])

    def assert_cat_prints(self, size):
        content = random.Random(4).randbytes(size)
        (self.tree / "big").write_bytes(content)
        printed = self.boot_for_bytes([BUSYBOX, "cat", "big"])
        self.assertEqual(len(printed.removesuffix(b"\n")), len(content.removesuffix(b"\n")))

    def test_busybox_cat_prints_a_file_of_256_kib_byte_for_byte(self):
        self.assert_cat_prints(1 << 18)

    @long_test
    def test_busybox_cat_prints_a_file_of_4_mib_byte_for_byte(self):
        self.assert_cat_prints(4 << 20)

    def boot_for_bytes(self, argv):
        """Boots one program whose output is no text. Returns what it printed."""
        output, status = on_linux(argv, self.tree)
        archive = Archive()
        archive.add_tree(self.tree)
        outcome = self.boot([argv], "console=serial", archive=archive)
        self.assertEqual(outcome.exit_event("busybox").number("status"), status)
        self.assert_all_ran_twice(outcome, 1)
        printed = printed_bytes(outcome)
        self.assertTrue(output, "nothing was printed on Linux")
        self.assertTrue(printed in (output, output + b"\n"), "other bytes than on Linux")
        return printed

    def test_busybox_ls_lR_gives_the_listing_that_is_kept(self):
        archive = Archive()
        archive.add_tree(self.tree)
        archive.add_bytes("etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
        archive.add_bytes("etc/group", b"root:x:0:\n")
        outcome = self.boot([[BUSYBOX, "ls", "-lR", "tree"]], archive=archive)
        self.assert_clean(outcome)
        self.assert_all_ran_twice(outcome, 1)
        self.assertEqual(outcome.program_output(), (GOLDEN / "ls-lR.txt").read_text())


class CompiledPrograms(LinuxProgramsTest):
    def test_a_c_program_with_musl_prints_what_it_does_on_linux(self):
        self.boot_like_linux([[linux("musl_hello"), "7", "two words", ""]])

    def test_a_cxx_program_with_glibc_prints_what_it_does_on_linux(self):
        self.boot_like_linux([[linux("cxx_features")]])

    def test_sqlite_inserts_ten_thousand_rows_and_answers_queries(self):
        outcome = self.boot_like_linux([[linux("sqlite_inserts")]])
        self.assertIn("10000|", outcome.program_output())

    def test_lua_runs_a_script_from_the_archive(self):
        shutil.copy(TOP / "tests" / "programs" / "linux" / "scripts" / "tour.lua", self.tree)
        self.boot_like_linux([[linux("lua_run"), "tour.lua", "argument"]])

    def test_programs_that_check_linux_calls_find_the_same_as_on_linux(self):
        names = ["memory", "memory_musl", "registers", "signals", "bad_pointers", "waits",
                 "shared_files", "machine_facts", "sqlite_wal"]
        self.boot_like_linux([[linux(name)] for name in names], says=[
            "a thread is refused (EAGAIN): a Linux program here is one process with one thread",
            "setrlimit of RLIMIT_STACK is refused: EPERM",
            "setrlimit of RLIMIT_CPU is refused: EPERM",
            "users and groups other than root are refused: EINVAL",
        ])

    def test_a_program_that_uses_up_memory_is_told_so_and_goes_on(self):
        outcome = self.boot([[linux("full")]], memory=64)
        self.assert_clean(outcome)
        self.assertEqual(outcome.program_output().splitlines(),
                         ["full: malloc says ENOMEM", "full: write says ENOSPC",
                          "full: 0 failures"])
        self.assert_all_ran_twice(outcome, 1)
