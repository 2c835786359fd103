"""What a PE costs in ring 0, in instructions, by phase: the figures repeat, and they do not grow
unseen."""

import sys

from boot import TOP, BootTest

sys.path.insert(0, str(TOP / "tests" / "instruction_count"))
import counting  # noqa: E402

class KernelCost(BootTest):
    def assert_as_recorded(self, name):
        found = counting.measure(counting.MEASURES[name])
        recorded = counting.expected()[name]
        phases = found.by_phase()
        self.assertEqual(list(phases), list(recorded), f"To renew the table: {counting.RENEW}")
        off = [phase for phase in phases if counting.is_off(phases[phase], recorded[phase])]
        self.assertFalse(off, "\n".join([
            f"instructions of ring 0 per PE of the workload {name!r} are not as recorded:",
            *counting.beside_the_record(phases, recorded),
            f"If that is meant, renew the table: {counting.RENEW}",
            *counting.table(found, top=30)]))

    def test_a_system_call_costs_what_is_recorded(self):
        self.assert_as_recorded("vectors")

    def test_a_pe_that_modifies_ten_pages_costs_what_is_recorded(self):
        self.assert_as_recorded("pages")

    def test_a_pe_with_ten_write_faults_costs_what_is_recorded(self):
        self.assert_as_recorded("write faults")

    def test_a_pe_that_the_time_limit_ends_costs_what_is_recorded(self):
        self.assert_as_recorded("time limit")

    def test_a_pe_of_ten_pages_that_the_time_limit_ends_costs_what_is_recorded(self):
        self.assert_as_recorded("time limit, ten pages")

    def test_a_guests_stop_that_the_kernel_answers_costs_what_is_recorded(self):
        self.assert_as_recorded("guest, the kernel answers")
        aim = 3000
        self.assertLess(counting.expected()["guest, the kernel answers"]["total"], aim)

    def test_the_same_with_a_modified_page_costs_what_is_recorded(self):
        self.assert_as_recorded("guest, the kernel answers, one page")

    def test_a_guests_stop_that_its_monitor_answers_costs_what_is_recorded(self):
        self.assert_as_recorded("guest, the monitor answers")

    def test_two_boots_of_one_image_execute_the_same_instructions(self):
        iso = self.image([["vectors", "20"]])
        first, second = [counting.run_image(iso, self.scratch / "counts") for _ in range(2)]
        self.assertGreater(first.pes, 0)
        self.assertEqual(first, second)
