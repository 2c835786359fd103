"""Programs that nobody here wrote compute for long. The time limit stops them again and again, and
they print what they print on Linux: with every limit and every kind of counter.
"""

import shutil

from boot import BUSYBOX, LONG, TOP, BootTest, linux, long_test
from reference import lines, on_linux, printed_bytes

from reprise import image, machine
from reprise.archive import Archive

LIMITS = [10, 50, 200, 1000]
COUNTERS = ["icount", "pmu", "landmark"]
COUNT = "BEGIN { for (i = 0; i < 100000; i++) s = (s * 31 + i) % 1000003; print s }"
PROGRAMS = {
    "gzip": [BUSYBOX, "gzip", "-c", "input"],
    "bzip2": [BUSYBOX, "bzip2", "-c", "input"],
    "sha512sum": [BUSYBOX, "sha512sum", "input"],
    "awk": [BUSYBOX, "awk", COUNT],
    "sqlite": [linux("sqlite_inserts")],
    "lua": [linux("lua_run"), "tour.lua", "argument"],
}
SMALL, LARGE = 256 << 10, 4 << 20  # bytes of input


def name_of(counter):
    """What the kernel calls it: pmu-intel for any pmu."""
    return "pmu-intel" if counter.startswith("pmu") else counter


class TimeLimitTest(BootTest):
    cost = 50

    def make_input(self, size):
        folder = self.scratch / "tree"
        folder.mkdir(exist_ok=True)
        text = lines(size // 24, seed=5)
        self.assertGreater(len(text), size)
        (folder / "input").write_bytes(text[:size])
        shutil.copy(TOP / "tests" / "programs" / "linux" / "scripts" / "tour.lua", folder)
        return folder

    def boot_limited(self, names, limit, counter, folder, arguments="", **settings):
        """Boots programs at once; returns the outcome. Each must end as on Linux."""
        archive = Archive()
        archive.add_tree(folder)
        argvs = [[str(word) for word in PROGRAMS[name]] for name in names]
        named = [image.Program(argv[0], argv, name) for name, argv in zip(names, argvs)]
        outcome = self.boot(named, f"console=serial pe.limit={limit} {arguments}", archive=archive,
                            counter=counter, **settings)
        expected = [on_linux(argv, folder) for argv in argvs]
        for name, (_, status) in zip(names, expected):
            self.assertEqual(outcome.exit_event(name).number("status"), status, name)
        self.assertEqual(outcome.events("counter")[0]["name"], name_of(counter))
        if len(names) == 1:
            output = expected[0][0]
            self.assertTrue(printed_bytes(outcome) in (output, output + b"\n"), "other bytes")
        else:
            texts = [output.decode().splitlines() for output, _ in expected]
            got = outcome.program_output().splitlines()
            self.assertEqual(sorted(got), sorted(line for text in texts for line in text))
        return outcome

    def assert_converged(self, outcome):
        """Every PE that the time limit ended was committed, and no two runs were seen to differ."""
        for event in outcome.events("verdicts"):
            self.assertEqual(event["mismatches"], "0", event)
        figures = outcome.events("convergence")
        for event in figures:
            self.assertGreater(event.number("limited"), 0, event)
            self.assertEqual(event["converged"], event["limited"], event)
            self.assertEqual(event["unresolved"], "0", event)
        return figures

    def run_matrix(self, names, limits, counters, size=SMALL, **settings):
        folder = self.make_input(size)
        for counter in counters:
            for limit in limits:
                with self.subTest(counter=counter, limit=limit, programs=names):
                    outcome = self.boot_limited(names, limit, counter, folder, **settings)
                    self.assert_converged(outcome)


class Programs(TimeLimitTest):
    """Each program, each limit and each counter is here at least once; the rest is in EveryLimit.
    """

    def test_programs_stopped_every_10_microseconds_print_what_they_do_on_linux_with_icount(self):
        self.run_matrix(["sha512sum", "lua"], [10], ["icount"])

    def test_programs_stopped_every_50_microseconds_print_what_they_do_on_linux_with_a_pmu(self):
        self.run_matrix(["sha512sum", "lua"], [50], ["pmu"])

    def test_programs_stopped_every_200_microseconds_print_what_they_do_on_linux_by_landmark(self):
        self.run_matrix(["awk", "lua"], [200], ["landmark"])

    def test_sqlite_stopped_every_millisecond_answers_what_it_does_on_linux_with_a_pmu(self):
        self.run_matrix(["sqlite"], [1000], ["pmu"])

    def test_gzip_gives_the_same_bytes_as_on_linux_with_icount(self):
        self.run_matrix(["gzip"], [50], ["icount"])

    def test_gzip_stopped_every_10_microseconds_gives_the_same_bytes_as_on_linux_by_landmark(self):
        self.run_matrix(["gzip"], [10], ["landmark"])

    def test_bzip2_gives_the_same_bytes_as_on_linux_with_icount(self):
        self.run_matrix(["bzip2"], [1000], ["icount"])


class EveryLimit(TimeLimitTest):
    """Every program with every limit and every counter."""

    def run_all(self, counter, size):
        for names in (["gzip"], ["bzip2"], ["sha512sum", "awk", "sqlite", "lua"]):
            self.run_matrix(names, LIMITS, [counter], size, timeout=LONG)

    @long_test
    def test_every_program_with_every_limit_with_icount(self):
        self.run_all("icount", SMALL)

    @long_test
    def test_every_program_with_every_limit_with_a_pmu(self):
        self.run_all("pmu", SMALL)

    @long_test
    def test_every_program_with_every_limit_by_landmark(self):
        self.run_all("landmark", SMALL)

    @long_test
    def test_4_mib_of_input_with_every_counter(self):
        for names in (["gzip"], ["bzip2"], ["sha512sum"]):
            self.run_matrix(names, [200], COUNTERS, LARGE, timeout=LONG)


class LateCounter(TimeLimitTest):
    def test_a_counter_that_gets_later_than_its_margin_costs_retries_and_no_wrong_output(self):
        # What the self-test cannot see: the interrupts are late after the first hundred.
        delay = 3000
        outcome = self.boot_limited(["sha512sum"], 50, f"pmu,delay={delay},calm=100,seed=3",
                                    self.make_input(SMALL))
        announced = outcome.events("counter")[0].number("margin")
        self.assertLess(announced, delay, "the self-test has seen the delay")
        figures = self.assert_converged(outcome)
        self.assertGreater(sum(event.number("failed") for event in figures), 0)
        self.assertGreater(max(event.number("margin") for event in figures), announced)


class Cost(TimeLimitTest):
    def test_a_computing_pe_of_200000_instructions_costs_2_05_times_its_instructions(self):
        # Registers alone: what the engine itself costs. One guest nanosecond is one instruction.
        outcome = self.boot([["compute", "2000000"]], "pe.limit=200", counter="icount")
        self.assert_clean(outcome)
        times, = outcome.events("times")
        figures, = self.assert_converged(outcome)
        self.assertGreater(figures.number("limited"), 50)
        phases = {key for key in times.fields if key.endswith("_ns")} - {"longest_pe_ns"}
        self.assertIn("convergence_ns", phases)
        total = sum(times.number(phase) for phase in phases)
        self.assertLessEqual(total, 2.05 * times.number("first_run_ns"), times)
        self.assertLessEqual(figures.number("most_steps"), 32)
