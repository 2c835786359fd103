// Which instruction counter is used: the first that passes its test (counter_test.hpp).
#pragma once

#include <cstdint>
#include <string_view>

#include "user/init/counter_test.hpp"
#include "user/init/settings.hpp"
#include "user/lib/instructions.hpp"

namespace reprise {

using Cpuid = user::CpuidResult (*)(std::uint32_t leaf);  // as user::cpuid_leaf()

// Auto tries those that CPUID announces, a choice skips CPUID's word. `refused` is told of each
// that failed. When none is left: landmark.
[[nodiscard]] CounterFacts choose_counter(Settings::Counter choice, Cpuid cpuid,
                                          const CounterProbes& probes,
                                          void (*refused)(std::string_view name,
                                                          std::string_view reason));

}  // namespace reprise
