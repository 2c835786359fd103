// The one-shot timer between the local APIC and run_user(): which of its interrupts is the expiry
// that the kernel waits for.
#include "arch/timer.hpp"

#include "arch/clock.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/timer.hpp"
#include "kernel/base/arithmetic.hpp"

namespace arch {

using namespace x86;

void arm_timer(reprise::Nanoseconds duration) {
  constexpr std::uint64_t second = 1'000'000'000;
  TimerState& timer = this_cpu().timer;
  timer.expired = false;
  timer.armed = duration.value() != 0;
  if (!timer.armed) return stop_timer();
  start_timer(reprise::scale(duration.value(), timer_frequency(), second));
}

std::optional<std::uint64_t> x86::timer_left() {
  if (!this_cpu().timer.armed) return std::nullopt;
  return timer_count();
}

// An interrupt while the timer still runs was left over from an earlier arming.
void x86::note_timer_interrupt() {
  TimerState& timer = this_cpu().timer;
  if (!timer.armed || timer_count() != 0) return;
  timer.armed = false;
  timer.expired = true;
}

bool x86::take_timer_expiry() {
  TimerState& timer = this_cpu().timer;
  const bool expired = timer.expired;
  timer.expired = false;
  return expired;
}

}  // namespace arch
