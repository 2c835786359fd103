"""The programs of our own, written for the native ABI: they check themselves, hardened and not."""

from boot import BootTest

ALL = [["compute", "50000"], ["calls", "20"], ["pages", "10", "100"], ["recurse", "2000"],
       ["vectors"], ["handler"], ["clockcheck"], ["wild"], ["arguments", "0", "a b", ""],
       ["floats", "20000"], ["avx", "1"], ["chase", "16", "2"], ["matrix", "16", "2"]]
FAULTS = {"null": 139, "code": 139, "constant": 139, "data": 139, "kernel": 139,
          "kernel-write": 139, "kernel-jump": 139, "noncanonical": 139, "div0": 136, "ud2": 132,
          "int3": 133, "gp": 139, "stack": 139, "guard-low": 139, "guard-high": 139}


def digest_of(rounds):
    """What `compute` comes to (user/programs/compute.cpp), by other means."""
    mask = (1 << 64) - 1
    state, digest = 0x9E3779B97F4A7C15, 0xCBF29CE484222325
    for _ in range(rounds):
        state ^= state << 13 & mask
        state ^= state >> 7
        state ^= state << 17 & mask
        digest = (digest ^ state) * 0x100000001B3 & mask
    return digest


def digest_of_products(size, rounds):
    """The same for `matrix`."""
    mask = (1 << 64) - 1
    digest = 0xCBF29CE484222325
    for n in range(rounds):
        left, right = ([[(i * 31 + j * 17 + seed * 7) % 101 - 50 for j in range(size)] for i in range(size)] for seed in (n, n + 50))
        for i in range(size):
            for j in range(size):
                value = sum(left[i][k] * right[k][j] for k in range(size))
                digest = (digest ^ value & mask) * 0x100000001B3 & mask
    return digest


class NativePrograms(BootTest):
    def assert_all_said_it(self, outcome):
        """Each program's last line, which it prints when all its checks held."""
        expected = {f"compute: rounds=50000 digest={digest_of(50000):016x}",
                    "calls: 20 rounds of 10 calls", "pages: pages=10 elements=100 sum=500500",
                    "recurse: depth=2000 sum=2050016496",
                    "vectors: kept over 20 calls: x87 mxcsr sse avx",
                    "handler: 15 exceptions handled",
                    "clockcheck: 100 readings of each clock, none went back",
                    "arguments: 4 arguments, start information right",
                    "floats: steps=20000 pi found", "avx: rounds=1 sums found",
                    "chase: pages=16 rounds=2",
                    f"matrix: size=16 rounds=2 digest={digest_of_products(16, 2):016x}"}
        lines = outcome.program_output().splitlines()
        self.assertEqual(expected - set(lines), set())
        self.assertIn('arguments: argv[2]="a b"', lines)
        self.assertIn('arguments: argv[3]=""', lines)

    def test_all_programs_at_once_run_hardened_and_check_themselves(self):
        outcome = self.boot(ALL)
        self.assert_clean(outcome)
        self.assert_no_mismatch(outcome)
        self.assert_all_said_it(outcome)
        for event in outcome.events("verdicts"):
            self.assertEqual(event["pes"], event["first_runs"])
            self.assertEqual(event["pes"], event["second_runs"])
        self.assertEqual(outcome.events("shutdown")[0]["programs"], str(len(ALL)))

    def test_wild_arguments_to_every_call_are_refused_and_harm_nobody(self):
        outcome = self.boot([["wild"], ["compute", "50000"]])
        self.assert_clean(outcome)
        self.assertRegex(outcome.program_output(), r"wild: \d{4} wild calls refused\n")
        self.assertIn(f"digest={digest_of(50000):016x}", outcome.program_output())
        self.assertEqual(outcome.events("panic"), [])

    def test_without_hardening_the_same_programs_run_once(self):
        outcome = self.boot(ALL, "harden=none")
        self.assert_clean(outcome)
        self.assert_all_said_it(outcome)
        self.assertEqual(outcome.events("verdicts"), [])
        self.assertEqual(len(outcome.events("unhardened")), len(ALL))
        self.assertEqual({event["hardened"] for event in outcome.events("exit")}, {"no"})

    def test_harden_names_the_programs_that_run_twice(self):
        outcome = self.boot([["compute", "50000"], ["pages"], ["calls", "5"]], "harden=pages,calls")
        self.assert_clean(outcome)
        hardened = {event["process"]: event["hardened"] for event in outcome.events("exit")}
        self.assertEqual(hardened, {"compute": "no", "pages": "yes", "calls": "yes"})
        self.assertEqual({event["process"] for event in outcome.events("verdicts")},
                         {"pages", "calls"})
        self.assertEqual([event["process"] for event in outcome.events("unhardened")], ["compute"])

    def test_an_exception_without_a_handler_ends_its_program_alone(self):
        programs = [["faults", kind] for kind in FAULTS]
        outcome = self.boot([*programs, ["compute", "50000"]])
        self.assertEqual(outcome.value, 0x11)
        self.assert_no_mismatch(outcome)
        self.assertIn(f"digest={digest_of(50000):016x}", outcome.program_output())
        for number, (kind, status) in enumerate(FAULTS.items(), start=1):
            process = "faults" if number == 1 else f"faults-{number}"
            self.assertEqual(outcome.exit_event(process).number("status"), status, kind)
            event, = [e for e in outcome.events("exception") if e["process"] == process]
            self.assertEqual(event.number("vector"), {132: 6, 133: 3, 136: 0}.get(
                status, 13 if kind in ("gp", "noncanonical") else 14), kind)
        self.assertNotIn("was not stopped", outcome.program_output())

    def test_memory_exhausted_by_a_program_ends_that_program_alone(self):
        outcome = self.boot([["exhaust"], ["pages"]], memory=64)
        self.assertEqual(outcome.events("panic"), [])
        self.assertEqual(outcome.exit_event("pages")["status"], "0")
        self.assertIn(outcome.exit_event("exhaust")["status"], ("0", "137"))
        if outcome.exit_event("exhaust")["status"] == "137":
            self.assertEqual(len(outcome.events("out-of-memory")), 1)
            self.assertTrue(any("exhaust: memory is exhausted" in line
                                for line in outcome.people_lines()))
