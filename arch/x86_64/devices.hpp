// What the devices' files ask of each other. The kernel's view is arch/machine.hpp, that of the
// trap entry interrupts.hpp, and device memory is mapped by kernel_tables.hpp.
#pragma once

#include <cstdint>
#include <optional>

#include "arch/x86_64/instructions.hpp"
#include "kernel/base/interrupt_controllers.hpp"

namespace arch::x86 {

struct MachinePorts {
  static std::uint8_t read8(unsigned port) { return in8(static_cast<std::uint16_t>(port)); }
  static void write8(unsigned port, std::uint8_t value) {
    out8(static_cast<std::uint16_t>(port), value);
  }
};

// Lets some time pass without touching a device: emulators pay dearly for each access to one.
inline void spin(unsigned steps) {
  [[maybe_unused]] volatile unsigned step;
  for (unsigned i = 0; i < steps; ++i) step = i;
}

// All I/O APICs, every input masked (io_apic.cpp); how many inputs there are. Nothing, and nothing
// has changed: one of them is not device memory.
[[nodiscard]] std::optional<std::uint32_t> start_io_apics(
    const reprise::InterruptControllers& controllers);

// The local APIC and its one-shot timer (apic.cpp): it runs once for `ticks` of timer_frequency(),
// counting down at that rate or a fraction of it, or up to a time stamp.
void start_local_apic();  // every local source masked but NMI
[[nodiscard]] bool in_x2apic_mode();
[[nodiscard]] std::uint32_t local_apic_id();
void admit_devices();
void hold_devices();
void admit_counter_interrupt();  // as NMI, until it comes
void start_timer(std::uint64_t ticks);
void stop_timer();
[[nodiscard]] bool timer_runs();
[[nodiscard]] std::uint32_t timer_count();
[[nodiscard]] bool timer_interrupt_waits();  // until the kernel lets it in
// Of what arm_timer() has armed, 0 once it is over; nothing when nothing is (interrupts.cpp).
[[nodiscard]] std::optional<std::uint64_t> timer_left();

// Time (clock.cpp).
void note_kernel_entry();  // now() counts from here

}  // namespace arch::x86
