// Finds out how fast the time-stamp counter and the local APIC's timer run, tells the kernel, and
// has a line about it for people. To be called before anything is timed, while init runs alone. The
// way that was chosen, and why: calibration.hpp.
#pragma once

#include <cstdint>

namespace reprise {

// ACPI power management timer (ACPI 6.5 §4.8.3.3).
struct PowerTimer {
  std::uint16_t port = 0;  // 0: there is none
  bool has_32_bits = false;
};

void set_clock_rates(const PowerTimer& power_timer);

}  // namespace reprise
