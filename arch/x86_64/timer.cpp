// The one-shot timer between the local APIC and run_user(): which of its interrupts is the expiry
// that the kernel waits for.
#include "arch/timer.hpp"

#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/clock.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/timer.hpp"

namespace arch {

using namespace x86;

// To disarm needs no access to the APIC, which takes hundreds of cycles: the timer may run out, and
// its interrupt then means nothing.
void arm_timer(reprise::Nanoseconds duration) {
  TimerState& timer = this_cpu().timer;
  timer.expired = false;
  timer.armed = duration.value() != 0;
  if (timer.armed) start_timer(timer_ticks(duration));
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
