"""Programs that write many pages at a time end with the right result, and within six times the
instructions that they take without a second run."""

from boot import BUSYBOX, LONG, BootTest, linux, long_test
from reference import lines, on_linux

from reprise.archive import Archive

MOST = 6  # times the whole boot with harden=none, in guest time under -icount: instructions
MEMORY = 1024  # MiB
LIBRARIES = [("zstd", 1), ("zstd", 5), ("zstd", 9), ("bzip2", 9), ("lzma", 6)]


class HeavyPrograms(BootTest):
    cost = 20

    def ended(self, programs, text, arguments="", **settings):
        """Boots the programs and checks what they print; returns the outcome and nanoseconds to the end."""
        archive = Archive()
        archive.add_bytes("text", text)
        outcome = self.boot(programs, arguments, archive=archive, memory=MEMORY, **settings)
        self.assert_clean(outcome)
        (self.scratch / "text").write_bytes(text)
        expected = b"".join(on_linux(argv, self.scratch)[0] for argv in programs)
        self.assertEqual(sorted(outcome.program_output().splitlines()),
                         sorted(expected.decode().splitlines()))
        return outcome, outcome.events("shutdown")[0].number("time_ns")

    def compare(self, programs, text=b"", **settings):
        twice, time = self.ended(programs, text, **settings)
        self.assert_no_mismatch(twice)
        _, once = self.ended(programs, text, "harden=none", **settings)
        self.assertLessEqual(time, MOST * once, programs)

    def compress(self, kilobytes):
        return [[str(linux("compress")), name, str(level), str(kilobytes)]
                for name, level in LIBRARIES]

    def sort(self, kilobytes):
        return [[BUSYBOX, "sort", "-u", "-k2,2", "text"]], lines(kilobytes * 1024 // 34, seed=7)

    def test_compressors_of_some_kilobytes_end_within_six_times_one_run(self):
        self.compare(self.compress(48))

    def test_a_sort_of_some_kilobytes_ends_within_six_times_one_run(self):
        self.compare(*self.sort(64))

    @long_test
    def test_compressors_of_two_megabytes_end_within_six_times_one_run(self):
        for program in self.compress(2048):
            self.compare([program], timeout=LONG)

    @long_test
    def test_a_sort_of_four_megabytes_ends_within_six_times_one_run(self):
        self.compare(*self.sort(4096), timeout=LONG)
