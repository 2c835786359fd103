// How many instructions a program has executed in ring 3, and stopping it after a given number. All
// of it is a hint (docs/engine.md): a wrong count may cost a retry, never a wrong commit.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernel/base/address.hpp"

namespace arch {

enum class CounterChoice : std::uint8_t { Auto, Pmu, Icount, Landmark };

// What the self-test at boot has found, in instructions.
struct CounterFacts {
  std::string_view name;
  bool counts = false;                 // false: landmark, which does not count at all
  std::uint64_t margin = 0;            // a stop comes at most so late: skid and tolerance, reserve
  std::uint64_t tolerance = 0;         // two counts of the same instructions differ by at most that
  std::uint64_t skid = 0;              // the latest stop seen
  std::uint64_t overcount_interrupt = 0, overcount_fault = 0;  // at each; already subtracted
};

// Takes the first counter that passes its self-test; landmark always does. Auto tries those that
// CPUID announces, a choice skips CPUID's word. `refused` is told of each that failed. The test has
// an address space of its own, from `frames`, all of which come back. After start_clock().
void start_counter(CounterChoice choice, reprise::FrameSource& frames,
                   void (*refused)(std::string_view name, std::string_view reason));
[[nodiscard]] const CounterFacts& counter();

// Counts from 0 again, and forgets a stop. Any number of entries to ring 3 may follow.
void restart_count();
[[nodiscard]] std::uint64_t count();
// One Trap::Kind::Counter once count() has reached `n`; 0: none.
void stop_at_count(std::uint64_t n);

}  // namespace arch
