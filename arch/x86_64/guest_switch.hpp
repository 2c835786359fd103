// What guest_switch.asm and guest.cpp share.
#pragma once

#include <cstdint>

namespace arch::x86 {

// One stay in a guest.
struct GuestSwitch {
  std::uint64_t* general = nullptr;  // UserState::general
  std::uint64_t guest_block = 0;     // physical addresses of both control blocks
  std::uint64_t host_block = 0;
  std::uint64_t dr7 = 0;          // the guest runs with these breakpoints of the kernel's; 0: none
  std::uint64_t entry_stamp = 0;  // time stamps, as close to the guest as can be
  std::uint64_t exit_stamp = 0;
};

// Instructions between the two time stamps that are not the guest's, where the time stamp counts
// instructions: those behind the first RDTSC in enter_guest() up to and with the second.
inline constexpr std::uint64_t instructions_of_switch = 25;

}  // namespace arch::x86
