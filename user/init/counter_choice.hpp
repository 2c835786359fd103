// Which instruction counter is used: the first that passes its test (counter_test.hpp).
#pragma once

#include <cstdint>
#include <string_view>

#include "user/init/counter_test.hpp"
#include "user/init/settings.hpp"
#include "user/lib/instructions.hpp"

namespace reprise {

using Cpuid = user::CpuidResult (*)(std::uint32_t leaf);  // as user::cpuid_leaf()

// Auto tries the counters that CPUID announces; a named one is tried without asking CPUID. Calls
// `refused` for each that fails its test. When none is left the result is landmark.
[[nodiscard]] CounterFacts choose_counter(Settings::Counter choice, Cpuid cpuid,
                                          const CounterProbes& probes,
                                          void (*refused)(std::string_view name,
                                                          std::string_view reason));

}  // namespace reprise
