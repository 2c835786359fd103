// Interrupts between the trap entry and their controllers.
//
// An interrupt enters in one of two places. From ring 3: run_user() calls handle_interrupt() and
// returns to the kernel, or goes on in ring 3 when there is nothing to tell. From ring 0, only
// inside wait_for_interrupt() and admit_interrupts(), and where icount lets its own timer's in: the
// trap entry calls handle_interrupt() and returns to where it was.
#pragma once

#include <cstdint>

namespace arch::x86 {

// Tells the controllers about `vector`, which was delivered (run_user.cpp).
void handle_interrupt(std::uint8_t vector);

// A device's vector was delivered (interrupts.cpp).
void note_device_interrupt(std::uint8_t vector);

}  // namespace arch::x86
