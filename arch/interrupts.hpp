// Device interrupts. The kernel runs with interrupts off; programs run with devices held. Devices
// get through in admit_interrupts() and wait_for_interrupt() only.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/base/address.hpp"
#include "kernel/base/interrupt_controllers.hpp"

namespace arch {

void start_interrupts();  // masks the 8259, starts the local APIC

// Device interrupts are held altogether until this call, which masks all inputs: firmware may have
// left some open. Returns how many inputs there are, and local_x2apic. Nothing is returned or
// changed when an I/O APIC is not device memory (arch/physical_memory.hpp), or when the call has
// succeeded before.
[[nodiscard]] std::optional<std::uint64_t> start_admitting(
    const reprise::InterruptControllers& controllers);

// Lets in what waits. Does nothing while the timer is armed, which is during a run, and before
// start_admitting().
void admit_interrupts();

// Lines are bits: bit n is line n, an ISA line below 16, else an input of the I/O APICs. A line is
// connected once; nothing happens when there is no such input.
void connect_interrupts(std::uint32_t lines);
// Those that have come in since the last call.
[[nodiscard]] std::uint32_t take_interrupts();
// A level-triggered line is masked when it comes in, until its driver waits for the next one.
void expect_interrupts(std::uint32_t lines);

// The longest time for which devices were held, from forget_longest_hold() on.
void forget_longest_hold();
[[nodiscard]] reprise::Nanoseconds longest_hold();

// Idles with interrupts on until one arrives or `limit` has passed.
void wait_for_interrupt(reprise::Nanoseconds limit);

}  // namespace arch
