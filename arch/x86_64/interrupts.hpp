// Who is called when an interrupt arrives: the agreement between the trap entry (traps.asm,
// run_user.cpp), which takes the vector, and the interrupt controllers (apic.cpp), which own the
// devices behind it.
//
// An interrupt enters in one of two places. From ring 3: run_user() calls handle_interrupt() and
// returns to the kernel, or goes on in ring 3 when nothing is to be told. From ring 0, only inside
// wait_for_interrupt() and admit_interrupts(), and where icount lets its own timer's in: the trap
// entry calls handle_interrupt() and returns to where it was.
#pragma once

#include <cstdint>

namespace arch::x86 {

// The local APIC's priority class is the vector's upper half (Intel SDM Vol. 3A §10.8.3): the timer
// stands above every device, so that task priority E0h lets only it through.
inline constexpr std::uint8_t first_device_vector = 0x30;
inline constexpr std::uint8_t last_device_vector = 0x4f;  // 32 lines
inline constexpr std::uint8_t timer_vector = 0xf0;
inline constexpr std::uint8_t spurious_vector = 0xff;  // needs no end of interrupt

// The device side, in apic.cpp and clock.cpp.
void end_of_interrupt();
// The timer's vector was delivered; called with interrupts off, before end_of_interrupt().
void note_timer_interrupt();
// A device's vector was delivered.
void note_device_interrupt(std::uint8_t vector);
// True once after the expiry of the timer's present arming; false for a leftover of an earlier one.
[[nodiscard]] bool take_timer_expiry();

// The trap side, in run_user.cpp: tells the controllers about `vector`.
void handle_interrupt(std::uint8_t vector);

}  // namespace arch::x86
