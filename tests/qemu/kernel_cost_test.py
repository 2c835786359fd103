"""What a PE costs in ring 0, in instructions: the figure repeats, and it does not grow unseen."""

import sys

from boot import TOP, BootTest

sys.path.insert(0, str(TOP / "tests" / "instruction_count"))
import counting  # noqa: E402

# Shorter than counting.MEASURES: in the steady state each PE costs the same.
SHORT_MEASURES = {
    "vectors": (["vectors", "420"], ["vectors", "20"]),
    "pages": (["pages", "10", "500"], ["pages", "10", "100"]),
}


class KernelCost(BootTest):
    def assert_as_recorded(self, name):
        longer, shorter = SHORT_MEASURES[name]
        found = counting.measure(longer).minus(counting.measure(shorter))
        recorded = counting.expected()[name]
        self.assertLess(
            abs(found.per_pe / recorded - 1), counting.TOLERANCE,
            f"{found.per_pe:.1f} instructions of ring 0 per PE, recorded {recorded:.1f}. If that is "
            "meant: tests/instruction_count/count --standard --update\n"
            + "\n".join(counting.table(found, top=30)))

    def test_a_system_call_costs_what_is_recorded(self):
        self.assert_as_recorded("vectors")

    def test_a_pe_that_modifies_ten_pages_costs_what_is_recorded(self):
        self.assert_as_recorded("pages")

    def test_two_boots_of_one_image_execute_the_same_instructions(self):
        iso = self.image([["vectors", "20"]])
        first, second = [counting.measure_image(iso, self.scratch / "counts") for _ in range(2)]
        self.assertGreater(first.pes, 0)
        self.assertEqual(first, second)
