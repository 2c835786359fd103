"""The second run executes the program's instructions again, from the PE's start."""

from boot import BootTest, native


class SecondRun(BootTest):
    def assert_names_rdrand(self, outcome):
        mismatch, = outcome.events("mismatch")
        self.assertEqual((mismatch["verdict"], mismatch["instruction"]),
                         ("nondeterministic", "rdrand"))
        # The program is linked at 4 MiB, its file's first segment from byte 0 on.
        at = mismatch.number("rip") - 0x400000
        code = native("twice").read_bytes()[at:at + 5].lstrip(b"\x48\x49")
        self.assertEqual(code[:2], b"\x0f\xc7", code.hex())
        self.assertEqual(code[2] >> 3, 0b11110, "group 9, /6, a register")
        self.assertIn(f"twice: nondeterministic instruction RDRAND at {mismatch['rip']}\n",
                      outcome.console)

    def test_a_random_number_of_the_hardware_differs_in_the_second_run(self):
        outcome = self.boot([["twice"]])
        self.assertEqual(outcome.value, 0x12)
        self.assert_names_rdrand(outcome)
        registers = outcome.events("mismatch-register")
        self.assertIn("rdi", [register["register"] for register in registers])
        for register in registers:
            self.assertNotEqual(register["first"], register["second"])

    def test_it_is_named_when_the_time_limit_ends_the_pe_too(self):
        for counter in ("icount", "landmark"):
            with self.subTest(counter=counter):
                outcome = self.boot([["twice", "20000"]], f"counter={counter}")
                self.assertEqual(outcome.value, 0x12)
                self.assert_names_rdrand(outcome)
                runs = outcome.events("mismatch-run")
                self.assertEqual(runs[0]["end"], "time-limit")

    def test_instructions_without_end_do_not_keep_the_trace_from_its_end(self):
        outcome = self.boot([["twice", "0", "long"]])
        self.assertEqual(outcome.value, 0x12)
        self.assert_names_rdrand(outcome)
        self.assertLess(outcome.events("latency")[0].number("longest_pe_ns"), 2_000_000_000)

    def test_run_once_the_same_program_succeeds(self):
        outcome = self.boot([["twice"]], "harden=none")
        self.assert_clean(outcome)
        self.assertIn("this was run once", outcome.program_output())

    def test_a_flip_before_the_second_run_only_changes_what_that_run_computes(self):
        # RBX points to the pages in touch_pages(): the second run writes 32 bytes further on in
        # each. RIP one bit up is another instruction.
        outcome = self.boot([["pages", "10", "100"]], "inject=pages:20:2:rbx:5,pages:30:2:rip:1")
        self.assert_clean(outcome)
        self.assertIn("pages: pages=10 elements=100 sum=500500", outcome.program_output())
        self.assertEqual([(flip["run"], flip["moment"], flip["outcome"])
                          for flip in outcome.events("flip")], [("2", "start", "caught")] * 2)
        verdicts, = outcome.events("verdicts")
        self.assertEqual(verdicts["mismatches"], "2")
        self.assertGreaterEqual(verdicts.number("by_pages"), 1)
        self.assertEqual(verdicts.number("second_runs"), verdicts.number("pes") + 2)

    def test_the_second_run_takes_as_many_instructions_as_the_first(self):
        # With -icount a nanosecond is an instruction. The first run takes longer by the first touch
        # of its pages, which is the kernel's work.
        outcome = self.boot([["compute", "500000"]])
        self.assert_clean(outcome)
        times, = outcome.events("times")
        first, second = times.number("first_run_ns"), times.number("second_run_ns")
        self.assertGreater(second, 500_000 * 10)
        self.assertLess(abs(first - second), first // 100)
