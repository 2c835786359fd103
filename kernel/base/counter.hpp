// The counters of retired instructions, as kernel and init name them, and what init has found out
// about one. All of it is a hint (docs/engine.md): a wrong value costs retries, never a wrong
// commit.
#pragma once

#include <cstdint>

namespace reprise {

// Landmark: no counter. Only a breakpoint at the first run's RIP stops the second run.
enum class CounterKind : std::uint64_t { Landmark, PmuIntel, PmuAmd, Icount };

struct CounterSettings {
  CounterKind kind = CounterKind::Landmark;
  std::uint64_t margin = 0;     // how late a stop can come: skid, tolerance and a reserve
  std::uint64_t tolerance = 0;  // how far two counts of the same instructions can differ
  // What each kind of trap adds to a count. `stop`: how much too early an overflow comes.
  struct Corrections {
    std::int64_t interrupt = 0, fault = 0, call = 0, stop = 0;
  } corrections{};
};

}  // namespace reprise
