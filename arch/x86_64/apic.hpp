// The local APIC: its vectors, what it lets through, and its one-shot timer.
//
// The priority class of a vector is its upper half (Intel SDM Vol. 3A §10.8.3). The timer's class
// is above every device's. So task priority E0h lets only the timer through.
#pragma once

#include <cstdint>

namespace arch::x86 {

inline constexpr std::uint8_t first_device_vector = 0x30;
inline constexpr std::uint8_t last_device_vector = 0x4f;  // 32 lines
inline constexpr std::uint8_t timer_vector = 0xf0;
inline constexpr std::uint8_t kick_vector = 0xf1;      // only ends a guest's stay
inline constexpr std::uint8_t spurious_vector = 0xff;  // needs no end of interrupt

void start_local_apic();  // masks every local source except NMI
[[nodiscard]] bool in_x2apic_mode();
[[nodiscard]] std::uint32_t local_apic_id();
void end_of_interrupt();
void admit_devices();
void hold_devices();
void kick_self();                // by kick_vector, which waits until this CPU takes interrupts
void admit_counter_interrupt();  // as an NMI; the APIC masks it again when it comes

// The timer runs once. `ticks` are of timer_frequency(), 2^32 - 1 at most.
void start_timer(std::uint64_t ticks);
void stop_timer();
[[nodiscard]] std::uint32_t timer_count();   // ticks left; 0: expired or stopped
[[nodiscard]] bool timer_interrupt_waits();  // the timer has expired; its interrupt is still held

}  // namespace arch::x86
