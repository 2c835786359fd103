// Interrupts from their controllers to the kernel: bringing the controllers up, what each vector
// means, the one-shot timer, and the idle wait.
#include "arch/x86_64/interrupts.hpp"

#include <array>

#include "arch/machine.hpp"
#include "arch/run_user.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/clock.hpp"
#include "arch/x86_64/console.hpp"
#include "arch/x86_64/device_mapping.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupt_facts.hpp"
#include "kernel/base/assert.hpp"

namespace arch {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t longest_arming = 500 * second;  // the timer holds a little more

constinit x86::InterruptFacts facts{};
constinit bool timer_armed = false;
constinit bool timer_expired = false;

std::span<const std::byte> read_firmware_table(reprise::PhysAddr start, std::size_t size) {
  return x86::map_device(start, size, x86::CacheMode::WriteBack);
}

// The serial line's input, if an I/O APIC serves it; else waits end by the timer alone.
void route_serial(std::span<x86::IoApic> controllers) {
  const InterruptSource source = facts.acpi.source_of(x86::serial_isa_line);
  for (x86::IoApic& controller : controllers) {
    if (!controller.serves(source.interrupt)) continue;
    controller.route(source, x86::serial_vector, x86::local_apic.id());
    x86::enable_serial_interrupt();
    facts.serial_interrupt = source.interrupt;
  }
}

}  // namespace

void start_interrupts(const BootInfo& info) {
  static constinit std::array<x86::IoApic, 8> controllers;
  facts.acpi = read_acpi(info.acpi_root, read_firmware_table);
  x86::mask_legacy_controllers();
  const bool started = x86::local_apic.start();
  REPRISE_ASSERT(started);  // require_features() has seen to it that there is one
  std::size_t count = 0;
  for (const IoApicEntry& entry : facts.acpi.io_apics.view()) {
    if (controllers[count].start(entry)) facts.io_apic_inputs += controllers[count++].inputs();
  }
  route_serial(std::span{controllers}.first(count));
}

void arm_timer(reprise::Nanoseconds duration) {
  timer_expired = false;
  timer_armed = duration.value() != 0;
  if (!timer_armed) return x86::local_apic.stop_timer();
  const auto& rate = x86::clock_facts().timer;
  REPRISE_ASSERT(rate.has_value());
  const std::uint64_t time = duration.value() < longest_arming ? duration.value() : longest_arming;
  x86::local_apic.start_timer(scale(time, rate->estimate.hertz, second));
}

void wait_for_interrupt(reprise::Nanoseconds limit) {
  if (limit.value() == 0 || x86::console_has_input()) return;
  arm_timer(limit);
  x86::local_apic.admit_devices();
  x86::sti_hlt();
  x86::cli();
  x86::local_apic.hold_devices();
  arm_timer({});
}

namespace x86 {

const InterruptFacts& interrupt_facts() { return facts; }

void end_of_interrupt() { local_apic.end_of_interrupt(); }

// An interrupt while the counter still runs was left over from an earlier arming.
void note_timer_interrupt() {
  if (!timer_armed || local_apic.timer_count() != 0) return;
  timer_armed = false;
  timer_expired = true;
}

void note_device_interrupt(std::uint8_t vector) {
  if (vector == serial_vector) drain_serial();
}

bool take_timer_expiry() {
  const bool expired = timer_expired;
  timer_expired = false;
  return expired;
}

}  // namespace x86
}  // namespace arch
