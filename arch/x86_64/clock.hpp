// Time for the devices: what calibration found. machine.hpp has what the kernel uses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "arch/x86_64/calibration.hpp"

namespace arch::x86 {

// Takes the time stamp from which now() counts; called once, first thing.
void note_kernel_entry();

struct ClockFacts {
  std::array<Estimate, 5> estimates{};  // of the time-stamp counter
  std::size_t count = 0;
  std::optional<Choice> stamp;
  std::optional<Choice> timer;  // the local APIC timer, undivided
};
[[nodiscard]] const ClockFacts& clock_facts();

}  // namespace arch::x86
