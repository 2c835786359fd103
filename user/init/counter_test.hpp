// The test that every instruction counter has to pass at boot. It runs programs of known length in
// ring 3, and learns what each kind of trap adds to a count and how late stops come. CPUID is not
// trusted: some virtual machines announce counters that do not count. Next: counter_choice.hpp.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernel/abi/init.hpp"
#include "kernel/base/result.hpp"
#include "kernel/base/text_line.hpp"

extern "C" const std::uint8_t counter_programs[], counter_programs_end[];

namespace reprise {

[[nodiscard]] std::string_view name_of(CounterKind kind);

struct CounterFacts {
  CounterSettings settings;
  std::uint64_t skid = 0;  // the latest stop seen, in instructions
};

// Where the programs are run.
struct CounterProbes {
  void (*run)(CounterProbe& probe);  // as REPRISE_PROBE; an error leaves Ending::None
  std::uint64_t programs;            // where ring 3 has what stands at counter_programs
  std::uint64_t data;                // its page for their data
};

// The reason, if the counter is not to be used.
[[nodiscard]] Result<CounterFacts, TextLine> test_counter(CounterKind kind,
                                                          const CounterProbes& probes);

}  // namespace reprise
