// What the files of this folder ask of each other. The kernel's view is arch/machine.hpp; device
// memory is mapped by kernel_tables.hpp.
#pragma once

#include <cstdint>
#include <optional>

#include "arch/x86_64/instructions.hpp"
#include "kernel/base/interrupt_controllers.hpp"

namespace arch::x86 {

// How the CPU is set up (control_registers.cpp): protections, page attributes, the entry for
// SYSCALL, machine checks.
void set_control_registers();

// What ring 3 could read that differs between two runs (closures.cpp).
void close_sources_of_difference();

// Empties the banks of errors (Intel SDM Vol. 3B §15); true when the interrupted program can be run
// again from its snapshot: the CPU says that its context is whole.
[[nodiscard]] bool clear_machine_check();

// Interrupts: the agreement between the trap entry (traps.asm, run_user.cpp), which takes the
// vector, and the controllers (apic.cpp, io_apic.cpp), which own the devices behind it.
//
// An interrupt enters in one of two places. From ring 3: run_user() calls handle_interrupt() and
// returns to the kernel, or goes on in ring 3 when nothing is to be told. From ring 0, only inside
// wait_for_interrupt() and admit_interrupts(), and where icount lets its own timer's in: the trap
// entry calls handle_interrupt() and returns to where it was.
//
// The local APIC's priority class is the vector's upper half (Intel SDM Vol. 3A §10.8.3): the timer
// stands above every device, so that task priority E0h lets only it through.
inline constexpr std::uint8_t first_device_vector = 0x30;
inline constexpr std::uint8_t last_device_vector = 0x4f;  // 32 lines
inline constexpr std::uint8_t timer_vector = 0xf0;
inline constexpr std::uint8_t spurious_vector = 0xff;  // needs no end of interrupt

// The device side, in apic.cpp, interrupts.cpp and io_apic.cpp.
void end_of_interrupt();
// The timer's vector was delivered; called with interrupts off, before end_of_interrupt().
void note_timer_interrupt();
// A device's vector was delivered.
void note_device_interrupt(std::uint8_t vector);
// True once after the expiry of the timer's present arming; false for a leftover of an earlier one.
[[nodiscard]] bool take_timer_expiry();

// The trap side, in run_user.cpp: tells the controllers about `vector`.
void handle_interrupt(std::uint8_t vector);

// All I/O APICs, every input masked (io_apic.cpp); how many inputs there are. Nothing, and nothing
// has changed: one of them is not device memory.
[[nodiscard]] std::optional<std::uint32_t> start_io_apics(
    const reprise::InterruptControllers& controllers);

// The local APIC and its one-shot timer (apic.cpp): it runs once for `ticks` of timer_frequency(),
// 2^32 - 1 at most.
void start_local_apic();  // every local source masked but NMI
[[nodiscard]] bool in_x2apic_mode();
[[nodiscard]] std::uint32_t local_apic_id();
void admit_devices();
void hold_devices();
void admit_counter_interrupt();  // as NMI, until it comes
void start_timer(std::uint64_t ticks);
void stop_timer();
[[nodiscard]] std::uint32_t timer_count();
[[nodiscard]] bool timer_interrupt_waits();  // until the kernel lets it in
// Of what arm_timer() has armed, 0 once it is over; nothing when nothing is (interrupts.cpp).
[[nodiscard]] std::optional<std::uint64_t> timer_left();

// Time (clock.cpp).
void note_kernel_entry();  // now() counts from here

}  // namespace arch::x86
