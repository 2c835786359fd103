// Finds out how fast the time-stamp counter and the local APIC's timer run, tells the kernel, and
// prints a line about it. Init calls it before anything is timed, while it runs alone. How and why:
// calibration.hpp.
#pragma once

#include <cstdint>

#include "user/init/calibration.hpp"

namespace reprise {

// ACPI power management timer (ACPI 6.5 §4.8.3.3).
struct PowerTimer {
  std::uint16_t port = 0;  // 0: there is none
  bool has_32_bits = false;
};

struct ClockRates {
  Estimate stamp{}, timer{};
};

// Returns what it has told the kernel.
ClockRates set_clock_rates(const PowerTimer& power_timer);

}  // namespace reprise
