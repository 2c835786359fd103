// Interrupts from their controllers to the kernel: bringing the controllers up, what each vector
// means, when devices are let in, and the idle wait. Which lines have come in stands here; how they
// are routed, in io_apic.cpp.
#include "arch/interrupts.hpp"

#include "arch/clock.hpp"
#include "arch/timer.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupts.hpp"
#include "arch/x86_64/io_apic.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/timer.hpp"
#include "kernel/base/arithmetic.hpp"

namespace arch {

using namespace x86;

namespace {

void hold_again() {
  cli();
  hold_devices();
  this_cpu().hold.since = now().value();
}

}  // namespace

void start_interrupts() {
  constexpr std::uint16_t first_mask = 0x21, second_mask = 0xa1;
  // Both 8259 controllers, for good: the local APIC's way in is masked, too.
  out8(first_mask, 0xff);
  out8(second_mask, 0xff);
  start_local_apic();
}

std::optional<std::uint64_t> start_admitting(const reprise::InterruptControllers& controllers) {
  if (board.interrupts.admitting) return std::nullopt;
  const auto inputs = start_io_apics(controllers);
  if (!inputs) return std::nullopt;
  board.interrupts.admitting = true;
  return *inputs | (in_x2apic_mode() ? reprise::local_x2apic : 0);
}

// `admitting` is asked first: before it is set, this CPU may have no PerCpu yet.
void admit_interrupts() {
  if (!board.interrupts.admitting) return;
  PerCpu& cpu = this_cpu();
  if (cpu.timer.armed) return;
  cpu.hold.longest = reprise::larger(cpu.hold.longest, now().value() - cpu.hold.since);
  admit_devices();
  sti_nop();
  hold_again();
}

void wait_for_interrupt(reprise::Nanoseconds limit) {
  if (limit.value() == 0) return;
  arm_timer(limit);
  if (board.interrupts.admitting) admit_devices();
  sti_hlt();
  hold_again();
  arm_timer({});
}

void forget_longest_hold() { this_cpu().hold = {.since = now().value(), .longest = 0}; }

reprise::Nanoseconds longest_hold() { return reprise::Nanoseconds{this_cpu().hold.longest}; }

// A level-triggered line is masked when it comes in: it would come again until its driver has run.
void x86::note_device_interrupt(std::uint8_t vector) {
  InterruptState& state = board.interrupts;
  const unsigned line = vector - first_device_vector;
  state.fired |= 1u << line;
  if (!is_level_triggered(line)) return;
  state.waiting |= 1u << line;
  route_line(line, InputMask::Masked);
}

void connect_interrupts(std::uint32_t lines) {
  for (unsigned line = 0; line < board.interrupts.sources.size(); ++line) {
    if ((lines >> line & 1) != 0) route_line(line, InputMask::Open);
  }
}

std::uint32_t take_interrupts() {
  const std::uint32_t taken = board.interrupts.fired;
  board.interrupts.fired = 0;
  return taken;
}

void expect_interrupts(std::uint32_t lines) {
  const std::uint32_t expected = board.interrupts.waiting & lines;
  board.interrupts.waiting &= ~expected;
  if (expected != 0) connect_interrupts(expected);
}

}  // namespace arch
