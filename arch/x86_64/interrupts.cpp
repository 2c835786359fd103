// Interrupts from their controllers to the kernel: bringing the controllers up, what each vector
// means, the one-shot timer, and the idle wait.
#include "arch/machine.hpp"
#include "arch/run_user.hpp"
#include "arch/x86_64/parts.hpp"
#include "kernel/base/arithmetic.hpp"

namespace arch {

using namespace x86;

namespace {

constexpr std::uint64_t second = 1'000'000'000;

constinit bool admitting = false;  // inputs that the firmware may have left open are masked
constinit bool timer_armed = false;
constinit bool timer_expired = false;
constinit std::uint64_t held_since = 0, longest_held = 0;  // nanoseconds

void hold_again() {
  cli();
  hold_devices();
  held_since = now().value();
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
  if (admitting) return std::nullopt;
  const auto inputs = start_io_apics(controllers);
  if (!inputs) return std::nullopt;
  admitting = true;
  return *inputs | (in_x2apic_mode() ? reprise::local_x2apic : 0);
}

void arm_timer(reprise::Nanoseconds duration) {
  timer_expired = false;
  timer_armed = duration.value() != 0;
  if (!timer_armed) return stop_timer();
  start_timer(reprise::scale(duration.value(), timer_frequency(), second));
}

void forget_longest_hold() {
  longest_held = 0;
  held_since = now().value();
}

void admit_interrupts() {
  if (timer_armed || !admitting) return;
  longest_held = reprise::larger(longest_held, now().value() - held_since);
  admit_devices();
  sti_nop();
  hold_again();
}

reprise::Nanoseconds longest_hold() { return reprise::Nanoseconds{longest_held}; }

void wait_for_interrupt(reprise::Nanoseconds limit) {
  if (limit.value() == 0) return;
  arm_timer(limit);
  if (admitting) admit_devices();
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
  if (!timer_armed || timer_count() != 0) return;
  timer_armed = false;
  timer_expired = true;
}

bool x86::take_timer_expiry() {
  const bool expired = timer_expired;
  timer_expired = false;
  return expired;
}

}  // namespace arch
