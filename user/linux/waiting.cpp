#include "user/linux/waiting.hpp"

#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/ending.hpp"
#include "user/linux/log.hpp"
#include "user/linux/process.hpp"
#include "user/linux/signals.hpp"
#include "user/linux/timers.hpp"

namespace personality {

Woken sleep_until(std::uint64_t end) {
  while (!signal_is_due()) {
    const std::uint64_t expiry = timer_expiry();
    if (end == never && expiry == never) return Woken::BySignal;
    native::sleep_until(end < expiry ? end : expiry);
    if (end < expiry) return Woken::ByTime;
    expire_timer(monotonic_nanoseconds());
  }
  return Woken::BySignal;
}

Value wait_for_signal(std::string_view what, Interrupted call) {
  static_cast<void>(sleep_until(never));
  if (signal_is_due()) {
    return fail(call == Interrupted::MayRestart ? Errno::Restart : Errno::Interrupted);
  }
  Line() << process().executable << " waits for " << what;
  end_process(128 + signal_number::kill);
}

// Returns once a handler has run.
Value call_pause(Call&) { return wait_for_signal("a signal that nobody can send"); }

}  // namespace personality
