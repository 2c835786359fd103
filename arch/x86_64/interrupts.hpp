// Interrupts between the trap entry and their controllers.
//
// An interrupt enters in one of three places. From ring 3: run_user() calls handle_interrupt() and
// returns to the kernel, or goes on in ring 3 when there is nothing to tell. From ring 0, only
// inside wait_for_interrupt() and admit_interrupts(), and where icount lets its own timer's in: the
// trap entry calls handle_interrupt() and returns to where it was. From a guest: it waits until
// run_guest() has let it in, and goes on as one from ring 3.
#pragma once

#include <cstdint>
#include <optional>

#include "arch/run_user.hpp"

namespace arch::x86 {

// Tells the controllers about `vector`, which was delivered (run_user.cpp).
void handle_interrupt(std::uint8_t vector);

// Handles an interrupt that has ended a stay in ring 3 or in a guest. Nothing: that may go on.
[[nodiscard]] std::optional<Trap> interrupt_trap(std::uint8_t vector);

// A device's vector was delivered (interrupts.cpp).
void note_device_interrupt(std::uint8_t vector);

}  // namespace arch::x86
