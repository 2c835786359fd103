// Time, waiting for it, and what is as unpredictable.
#include "arch/clock.hpp"
#include "arch/entropy.hpp"
#include "kernel/calls/native_calls.hpp"

namespace reprise::native_calls {

Answer time(Call&) { return static_cast<std::int64_t>(arch::now().value()); }

Answer sleep(Call& call) {
  call.context().wake_at = Nanoseconds{call.first()};
  call.context().status = ContextStatus::Sleeping;
  return 0;
}

Answer yield(Call& call) {
  call.context().turn.give_up();
  return 0;
}

Answer alarm(Call& call) {
  call.machine().ipc.set_alarm(call.process(), Nanoseconds{call.first()});
  return 0;
}

Answer interrupt(Call& call) {
  call.context().interrupt_at = Nanoseconds{call.first()};
  return 0;
}

// 63 bits: a negative result would be an error.
Answer entropy(Call&) { return static_cast<std::int64_t>(arch::entropy() >> 1); }

}  // namespace reprise::native_calls
