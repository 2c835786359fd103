// Guest time: nanoseconds that have passed for the guest (kernel/abi/guest.h). Devices know no
// other clock, so both runs of the monitor, and each repetition of a guest's PE, see the same time.
#pragma once

#include <cstdint>

#include "kernel/base/address.hpp"

namespace monitor {

using GuestTime = reprise::Nanoseconds;

inline constexpr GuestTime never{~std::uint64_t{0}};
inline constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;

[[nodiscard]] constexpr GuestTime sooner(GuestTime a, GuestTime b) { return b < a ? b : a; }

}  // namespace monitor
