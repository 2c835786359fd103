// Which instruction counter is used, and what init tries each with before it says so: its own code
// in ring 3, run once as a processing element would be, under a counter that nothing else uses yet.
#pragma once

#include <cstdint>

#include "kernel/abi/init.hpp"

namespace reprise {

// Both return 0 or the negative of a reprise_error; NOT_GRANTED: the machine has no such counter.
[[nodiscard]] std::int64_t use_counter(const CounterSettings& settings);
// Between processing elements, in the address space that is active. Whatever the code does, it ends
// with one trap, at the latest the timer's, and the counter in use is then the one from before. The
// code can write where hardware lets it: DWC's books are the caller's to keep.
[[nodiscard]] std::int64_t probe_counter(CounterProbe& probe);

}  // namespace reprise
