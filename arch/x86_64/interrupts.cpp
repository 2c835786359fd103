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
  io_apic_inputs = start_io_apics();
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
  if (limit.value() == 0) return;
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

bool x86::take_timer_expiry() {
  const bool expired = timer_expired;
  timer_expired = false;
  return expired;
}

reprise::TextLine x86::describe_interrupts() {
  return reprise::TextLine{"interrupts: ", in_x2apic_mode() ? "x2APIC" : "xAPIC",
                           ", I/O APIC inputs ", io_apic_inputs,
                           ", 8259 masked; ACPI tables ", acpi_facts.tables};
}

}  // namespace arch
