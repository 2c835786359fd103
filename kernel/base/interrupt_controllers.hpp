// Which interrupt controllers the machine has. Init finds them in the firmware's tables and tells
// the kernel (REPRISE_INTERRUPTS). The kernel trusts none of these words.
#pragma once

#include <array>
#include <cstdint>

namespace reprise {

struct IoApicEntry {
  std::uint32_t address = 0;          // physical; 0: none
  std::uint32_t first_interrupt = 0;  // global system interrupt behind its first pin
};

struct InterruptSource {
  std::uint32_t interrupt = 0;  // global system interrupt
  std::uint16_t active_low = 0, level_triggered = 0;
};

struct InterruptControllers {
  std::array<IoApicEntry, 8> io_apics{};
  std::array<InterruptSource, 32> lines{};  // where each line really arrives
};

// The call's answer is the number of inputs of the I/O APICs. This bit is added if the local APIC
// is an x2APIC.
inline constexpr std::uint64_t local_x2apic = 1ull << 32;

}  // namespace reprise
