// Interrupts from their controllers to the kernel: bringing the controllers up, what each vector
// means, the one-shot timer, and the idle wait.
#include "arch/x86_64/interrupts.hpp"

#include "arch/machine.hpp"
#include "arch/run_user.hpp"
#include "arch/x86_64/acpi.hpp"
#include "arch/x86_64/calibration.hpp"
#include "arch/x86_64/devices.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "kernel/base/extremes.hpp"

namespace arch {

using namespace x86;

namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t longest_arming = 500 * second;  // the timer holds a little more

constinit std::uint32_t io_apic_inputs = 0;
constinit bool serial_routed = false;
constinit bool timer_armed = true;  // so that nothing is admitted before start_admitting()
constinit bool timer_expired = false;
constinit std::uint64_t held_since = 0, longest_held = 0;  // nanoseconds

void hold_again() {
  cli();
  hold_devices();
  held_since = now().value();
}

// Both 8259 controllers: moved away from the exceptions' vectors, then masked for good. 8259A data
// sheet: four initialization words each, then the mask.
void mask_legacy_controllers() {
  constexpr std::uint16_t first = 0x20, second_one = 0xa0;
  for (const std::uint16_t controller : {first, second_one}) {
    out8(controller, 0x11);                                   // cascaded, four words
    out8(controller + 1, controller == first ? 0x20 : 0x28);  // vectors behind the exceptions
    out8(controller + 1, controller == first ? 4 : 2);        // where the second one hangs
    out8(controller + 1, 1);                                  // 8086 mode
    out8(controller + 1, 0xff);
  }
}

// An I/O APIC (Intel 82093AA data sheet): every input is masked, then the serial line's, if it is
// here, is led to this CPU: physical destination, fixed delivery. The low word, which unmasks,
// comes last.
void start_io_apic(const IoApicEntry& entry, const InterruptSource& serial) {
  constexpr std::uint32_t version = 1, first_input = 0x10;  // two words an input
  constexpr std::uint32_t active_low = 1 << 13, level_triggered = 1 << 15, masked = 1 << 16;
  const auto bytes = map_device(entry.address, 0x20, CacheMode::Uncached);
  if (bytes.empty()) return;
  auto* const words = reinterpret_cast<volatile std::uint32_t*>(bytes.data());
  const auto at = [words](std::uint32_t index) -> volatile std::uint32_t& {
    words[0] = index;
    return words[4];
  };
  const std::uint32_t inputs = (at(version) >> 16 & 0xff) + 1;
  for (std::uint32_t i = 0; i < inputs; ++i) at(first_input + 2 * i) = masked;
  io_apic_inputs += inputs;
  if (serial.interrupt < entry.first_interrupt) return;
  const std::uint32_t input = serial.interrupt - entry.first_interrupt;
  if (input >= inputs) return;
  at(first_input + 2 * input + 1) = local_apic_id() << 24;
  at(first_input + 2 * input) = serial_vector | (serial.active_low ? active_low : 0) |
                                (serial.level_triggered ? level_triggered : 0);
  enable_serial_interrupt();
  serial_routed = true;
}

}  // namespace

void start_interrupts(const BootInfo& info) {
  acpi_facts = read_acpi(info.acpi_root, [](reprise::PhysAddr start, std::size_t size) -> Bytes {
    return map_device(start, size, CacheMode::WriteBack);
  });
  const auto& reset = acpi_facts.reset;  // mapped now: reboot_machine() may have no memory for it
  if (reset && reset->space == ResetRegister::Space::Memory) {
    static_cast<void>(map_device(reprise::PhysAddr{reset->address}, 1, CacheMode::Uncached));
  }
  mask_legacy_controllers();
  start_local_apic();
  for (std::size_t i = 0; i < acpi_facts.io_apic_count; ++i) {
    start_io_apic(acpi_facts.io_apics[i], acpi_facts.isa[serial_isa_line]);
  }
}

void arm_timer(reprise::Nanoseconds duration) {
  timer_expired = false;
  timer_armed = duration.value() != 0;
  if (!timer_armed) return stop_timer();
  const std::uint64_t time = duration.value() < longest_arming ? duration.value() : longest_arming;
  start_timer(scale(time, timer_frequency(), second));
}

void start_admitting() {
  arm_timer({});
  longest_held = 0;
  held_since = now().value();
}

void admit_interrupts() {
  if (timer_armed) return;
  longest_held = reprise::larger(longest_held, now().value() - held_since);
  admit_devices();
  sti_nop();
  hold_again();
}

reprise::Nanoseconds longest_hold() { return reprise::Nanoseconds{longest_held}; }

void wait_for_interrupt(reprise::Nanoseconds limit) {
  if (limit.value() == 0 || console_has_input()) return;
  arm_timer(limit);
  admit_devices();
  sti_hlt();
  hold_again();
  arm_timer({});
}

std::optional<std::uint64_t> x86::timer_left() {
  if (!timer_armed) return std::nullopt;
  return timer_count();
}

// An interrupt while the timer still runs was left over from an earlier arming.
void x86::note_timer_interrupt() {
  if (!timer_armed || timer_runs()) return;
  timer_armed = false;
  timer_expired = true;
}

void x86::note_device_interrupt(std::uint8_t vector) {
  if (vector == serial_vector) drain_serial();
}

bool x86::take_timer_expiry() {
  const bool expired = timer_expired;
  timer_expired = false;
  return expired;
}

reprise::TextLine x86::describe_interrupts() {
  return reprise::TextLine{"interrupts: ", in_x2apic_mode() ? "x2APIC" : "xAPIC",
                           ", I/O APIC inputs ", io_apic_inputs,
                           serial_routed ? ", serial line routed" : ", serial line polled",
                           ", 8259 masked; ACPI tables ", acpi_facts.tables};
}

}  // namespace arch
