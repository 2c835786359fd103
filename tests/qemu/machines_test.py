"""The same image on different machines: firmware, media, processors, sizes of memory."""

from hashlib import sha256

from boot import BUSYBOX, BootTest
from native_programs_test import digest_of
from reference import lines

TEXT = lines(100, seed=5)


class Machines(BootTest):
    def assert_works(self, vectors="x87 mxcsr sse avx", flip="page.3.100:7", late_runs=False,
                     **settings):
        """Native programs and a Linux one, hardened; a flip is caught; every line is right."""
        outcome = self.boot([["compute", "20000"], ["vectors"], ["pages"],
                             [BUSYBOX, "sha256sum", "text"]],
                            f"inject=pages:20:2:{flip} pe.restarts=100", files={"text": TEXT},
                            pit=True, virtio=False, **settings)
        self.assert_clean(outcome)
        self.assertEqual(sorted(outcome.program_output().splitlines()), sorted([
            f"compute: rounds=20000 digest={digest_of(20000):016x}",
            f"vectors: kept over 20 calls: {vectors}",
            "pages: pages=10 elements=100 sum=500500",
            f"{sha256(TEXT).hexdigest()}  text"]))
        flip, = outcome.events("flip")
        self.assertEqual(flip["outcome"], "caught")
        shutdown, = outcome.events("shutdown")
        if late_runs:
            self.assertGreaterEqual(shutdown.number("restarts"), shutdown.number("mismatches"))
        else:
            self.assertEqual((shutdown["mismatches"], shutdown["restarts"]), ("1", "1"))
        return outcome

    def test_under_bios_from_a_cd_with_64_mib(self):
        outcome = self.assert_works(memory=64)
        self.assertLess(outcome.events("boot")[0].number("memory_kib"), 64 << 10)

    def test_under_bios_from_a_usb_stick(self):
        self.assert_works(usb=True)

    def test_under_uefi_from_a_cd_with_128_mib(self):
        self.assert_works(uefi=True, memory=128)

    def test_under_uefi_from_a_usb_stick(self):
        self.assert_works(uefi=True, usb=True)

    def test_with_8_gib_of_memory(self):
        outcome = self.assert_works(memory=8192)
        self.assertGreater(outcome.events("boot")[0].number("free_kib"), 8000 << 10)

    def test_with_8_gib_of_memory_under_uefi(self):
        self.assert_works(memory=8192, uefi=True)

    def test_on_qemu64_that_has_no_xsave(self):
        outcome = self.assert_works(cpu="qemu64", vectors="x87 mxcsr sse")
        features, = [line for line in outcome.people_lines() if "features:" in line]
        self.assertNotIn("xsave", features)

    def test_on_haswell(self):
        self.assert_works(cpu="Haswell")

    def test_on_epyc(self):
        self.assert_works(cpu="EPYC")

    def test_on_the_machine_type_pc(self):
        self.assert_works(extra=["-machine", "pc"])

    def test_without_an_io_apic_in_the_firmwares_tables(self):
        outcome = self.assert_works(uefi=True, extra=["-machine", "acpi=off"])
        self.assertIn("interrupts: xAPIC, I/O APIC inputs 0, 8259 masked", outcome.console)

    def test_without_icount_time_is_the_hosts(self):
        # A busy host takes the machine's processor away, so a second run may look late. Then it
        # runs again, up to 100 times. Without a counter some searches from landmark to landmark
        # take too long. The flip hits R14, because the time limit may end a run that has not
        # written any page.
        self.assert_works(flip="r14:7:end", icount=False, late_runs=True)
