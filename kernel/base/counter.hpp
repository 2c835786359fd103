// The retired-instruction counters as kernel and init name them, and what init has found out about
// one. All of it is a hint (docs/engine.md): a wrong word may cost retries, never a wrong commit.
#pragma once

#include <cstdint>

namespace reprise {

// Landmark: none; the second run is stopped by a breakpoint at the first run's RIP alone.
enum class CounterKind : std::uint64_t { Landmark, PmuIntel, PmuAmd, Icount };

struct CounterSettings {
  CounterKind kind = CounterKind::Landmark;
  std::uint64_t margin = 0;     // a stop comes at most so late: skid and tolerance, reserve
  std::uint64_t tolerance = 0;  // two counts of the same instructions differ by at most that
  // What each kind of trap adds to a count; and how much too early an overflow comes.
  struct Corrections {
    std::int64_t interrupt = 0, fault = 0, call = 0, stop = 0;
  } corrections{};
};

}  // namespace reprise
