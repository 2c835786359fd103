// How many instructions a program has executed in ring 3, and stopping it after a given number. All
// of it is a hint (docs/engine.md): a wrong count may cost a retry, never a wrong commit. Which
// counters of this machine are to be believed, and how far, init finds out
// (user/init/counter_test.hpp).
#pragma once

#include <cstdint>

#include "kernel/base/counter.hpp"

namespace arch {

// Starts the counter anew, which counts from 0. False: its registers do not exist, and the one
// before stays; the first is landmark. After start_clock().
[[nodiscard]] bool use_counter(const reprise::CounterSettings& settings);
[[nodiscard]] const reprise::CounterSettings& counter();

// Counts from 0 again, and forgets a stop. Any number of entries to ring 3 may follow.
void restart_count();
[[nodiscard]] std::uint64_t count();
// One Trap::Kind::Counter once count() has reached `n`; 0: none.
void stop_at_count(std::uint64_t n);

}  // namespace arch
