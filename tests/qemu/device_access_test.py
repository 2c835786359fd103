"""Ports, device memory and interrupts: granted ones work in every form, hardened or not, and with
flips. Access to others is a clear fault."""

import re
from collections import Counter

from boot import BootTest, image, native

GRANTS = "grant=devices:port:80-83,devices:port:2f8-2ff,devices:mmio:fed00000,devices:irq:16"
SECOND_UART = ["-serial", "null"]
# The event timer is smaller than a page, and little else is; memory_region_ops_read would trace the
# millions of reads of a boot, too.
READ = re.compile(r"memory_region_subpage_read .*offset 0x(\w+) value 0x\w+ size 4$")


class DeviceAccess(BootTest):
    def drive(self, mode, args=GRANTS, **settings):
        return self.boot([["devices", mode]], args, extra=SECOND_UART, **settings)

    def assert_done(self, outcome, line):
        self.assert_clean(outcome)
        self.assertEqual(outcome.program_output(), line + "\n")

    def test_every_form_of_port_access_works_once_it_is_granted(self):
        outcome = self.drive("ports")
        self.assert_done(outcome, "ports: done")
        self.assert_no_mismatch(outcome)

    def test_every_form_of_access_to_granted_device_memory_works(self):
        outcome = self.drive("hpet")
        self.assert_done(outcome, "hpet: done")
        self.assert_no_mismatch(outcome)

    def test_interrupts_come_as_notes_each_once(self):
        outcome = self.drive("interrupt")
        self.assert_done(outcome, "interrupts: 10")
        self.assert_no_mismatch(outcome)

    def test_all_of_it_works_while_every_third_pe_is_hit_by_a_flip(self):
        for mode, line in [("ports", "ports: done"), ("hpet", "hpet: done"),
                           ("interrupt", "interrupts: 10")]:
            with self.subTest(mode=mode):
                outcome = self.drive(mode, f"{GRANTS} inject.rate=3")
                self.assert_done(outcome, line)
                self.assertGreater(outcome.events("shutdown")[0].number("mismatches"), 5)

    def test_all_of_it_works_for_a_process_that_is_not_hardened_and_under_classic(self):
        for args in ("harden=none", "policy=classic", "check=full flush=touched"):
            for mode, line in [("ports", "ports: done"), ("hpet", "hpet: done")]:
                with self.subTest(mode=mode, args=args):
                    self.assert_done(self.drive(mode, f"{GRANTS} {args}"), line)

    def test_a_port_that_is_not_granted_is_a_clear_fault(self):
        outcome = self.drive("ports", "grant=devices:port:81-83")
        self.assertEqual(outcome.exit_event("devices")["status"], "139")
        refused, = outcome.events("access-refused")
        self.assertEqual((refused["kind"], refused["first"]), ("port", "0x80"))
        self.assertIn("[reprise] devices: port 0x80 is not granted: boot argument grant=",
                      outcome.people_lines())
        self.assertEqual([e["vector"] for e in outcome.events("exception")], ["13"])

    def test_a_prefix_does_not_hide_how_wide_a_port_access_is(self):
        outcome = self.drive("wide", "grant=devices:port:80-81")
        self.assertEqual(outcome.exit_event("devices")["status"], "139")
        refused, = outcome.events("access-refused")
        self.assertEqual((refused["first"], refused["last"]), ("0x80", "0x83"))

    def test_what_an_access_writes_beside_the_device_is_not_lost(self):
        outcome = self.drive("straddle")
        self.assert_done(outcome, "straddle: done")
        self.assert_no_mismatch(outcome)

    def timer_reads(self, args):
        """By offset: how often QEMU's event timer was read."""
        trace = self.scratch / "trace"
        outcome = self.boot(
            [["devices", "ends"]], f"grant=devices:port:1200-1203,devices:mmio:fed00000 {args}",
            extra=["-D", str(trace), "-d", "trace:memory_region_subpage_read"])
        self.assert_done(outcome, "ends: done")
        with open(trace, encoding="ascii", errors="replace") as lines:
            return Counter(int(match[1], 16) for line in lines if (match := READ.search(line)))

    def test_string_instructions_reach_the_ends_of_memory_and_read_each_element_once(self):
        copies = 8
        each_once = {offset: copies for offset in range(0, 256, 4)}
        for args in ("", "inject.rate=3", "harden=none", "check=full flush=touched"):
            with self.subTest(args=args):
                self.assertEqual(self.timer_reads(args), each_once)

    def test_addresses_that_the_processor_does_not_have_are_not_granted(self):
        outcome = self.drive("far", "grant=devices:mmio:20000000000")
        self.assert_boot_error(outcome, "bad-grant")

    def test_device_memory_that_is_not_granted_cannot_be_mapped(self):
        outcome = self.drive("hpet", "grant=devices:mmio:fed01000-fed01fff")
        self.assertEqual(outcome.exit_event("devices")["status"], "1")
        self.assertIn("raw_call(REPRISE_MAP_DEVICE", outcome.program_output())

    def test_what_belongs_to_the_kernel_is_not_granted(self):
        ranges = {"allowed": "0-fff",  # below 1 MiB nothing is the kernel's
                  "code": "100000-100fff", "memory": "200000-2fffff", "apic": "fee00000",
                  "io-apic": "fec00000-fec00fff"}
        programs = [image.Program(native("devices"), ["devices", "hpet"], name) for name in ranges]
        grants = ",".join(f"{name}:mmio:{range_}" for name, range_ in ranges.items())
        outcome = self.boot(programs, f"grant={grants}")
        refused = {event["subject"]: event["code"] for event in outcome.events("error")}
        self.assertEqual(refused, dict.fromkeys(set(ranges) - {"allowed"}, "bad-grant"))
        self.assertEqual([event["process"] for event in outcome.events("exit")], ["allowed"])
        self.assertEqual(outcome.events("panic"), [])

    def test_a_malformed_grant_is_refused_with_what_may_stand_there(self):
        outcome = self.drive("ports", "grant=devices:mmio:fed00001")
        self.assert_boot_error(outcome, "bad-argument")
        self.assertTrue(any("mmio:" in line for line in outcome.people_lines()))

    def test_a_grant_for_no_process_is_refused(self):
        self.assert_boot_error(self.drive("ports", "grant=device:port:80"), "bad-argument")
