// Counts the instructions that a program executes in ring 3, and stops it after a given number. All
// of it is a hint (docs/engine.md): a wrong count may cost a retry, never a wrong commit. init
// finds out which counters of this machine can be believed, and how far
// (user/init/counter_test.hpp).
#pragma once

#include <cstdint>

#include "kernel/base/counter.hpp"

namespace arch {

// Starts this counter, which counts from 0. False when its registers do not exist: the counter in
// use stays. Before the first call that is landmark. After start_clock().
[[nodiscard]] bool use_counter(const reprise::CounterSettings& settings);
[[nodiscard]] const reprise::CounterSettings& counter();

// Counts from 0 again, and forgets a stop. Any number of entries to ring 3 may follow.
void restart_count();
[[nodiscard]] std::uint64_t count();
// One Trap::Kind::Counter once count() has reached `n`; 0: none.
void stop_at_count(std::uint64_t n);

}  // namespace arch
