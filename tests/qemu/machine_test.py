"""The border between the rings, tested from ring 0 by a special kernel (machine/)."""

from boot import BootTest
from reprise import machine, tree

MODELS = ["qemu64", "Haswell", "EPYC", "max"]


class Machine(BootTest):
    cost = 5

    def boot_test_kernel(self, args="", **settings):
        kernel = tree.kernel().with_name("machine_test.elf")
        return self.boot(args=args, contents={"kernel": kernel}, pit=True, **settings)

    def assert_all_good(self, outcome):
        lines = outcome.program_output().splitlines()
        self.assertGreater(sum(line.startswith("ok ") for line in lines), 15)
        self.assertEqual([line for line in lines if line.startswith("FAIL")], [])
        self.assertEqual(outcome.value, machine.CLEAN)

    def test_programs_go_in_and_come_back_whole_on_every_kind_of_cpu(self):
        for model in MODELS:
            with self.subTest(model):
                self.assert_all_good(self.boot_test_kernel(cpu=model))

    def test_programs_go_in_and_come_back_whole_under_uefi(self):
        self.assert_all_good(self.boot_test_kernel(uefi=True, cpu="Haswell"))

    def test_an_overflow_of_the_kernels_stack_is_a_double_fault_that_is_reported(self):
        outcome = self.boot_test_kernel("die=stack")
        self.assertEqual(outcome.value, 0x13)
        self.assertEqual(outcome.events("trap")[0]["vector"], "0x8")

    def test_a_fault_of_the_kernels_own_names_the_address_and_panics(self):
        outcome = self.boot_test_kernel("die=fault")
        self.assertEqual(outcome.value, 0x13)
        trap = outcome.events("trap")[0]
        self.assertEqual((trap["vector"], trap["cr2"]), ("0xe", "0xffffffff7ffff000"))
