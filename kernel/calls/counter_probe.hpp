// Which instruction counter is used, and how init tries each of them before: its own code in ring
// 3, run once as a processing element would be, under a counter that nothing else uses yet.
#pragma once

#include "arch/user_state.hpp"
#include "kernel/abi/init.hpp"
#include "kernel/abi/outcome.hpp"

namespace reprise {

// Errors of both: REPRISE_BAD_ARGUMENT, and REPRISE_NOT_GRANTED when the machine has no such
// counter.
[[nodiscard]] Outcome use_counter(const CounterSettings& settings);

// Between processing elements, in the address space that is active; `state` is scratch space for
// the code's registers. Whatever the code does, it ends with one trap, at the latest the timer's,
// and the counter in use is then the one from before. The code can write where hardware lets it:
// the engine's books are the caller's to keep.
[[nodiscard]] Outcome probe_counter(CounterProbe& probe, arch::UserState& state);

}  // namespace reprise
