// Which interrupt controllers the machine has: what init finds in the firmware's tables and tells
// the kernel (REPRISE_INTERRUPTS). Plain words that may hold anything.
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
  std::array<InterruptSource, 32> lines{};  // where each really arrives
};

// The answer: how many inputs the I/O APICs have, and this when the local one is an x2APIC.
inline constexpr std::uint64_t local_x2apic = 1ull << 32;

}  // namespace reprise
