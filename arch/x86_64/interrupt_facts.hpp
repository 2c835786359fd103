// What start_interrupts() found: for the clock (ACPI timer), for reset, and for the machine's
// description.
#pragma once

#include <cstdint>
#include <optional>

#include "arch/x86_64/acpi.hpp"
#include "arch/x86_64/io_apic.hpp"

namespace arch::x86 {

struct InterruptFacts {
  AcpiFacts acpi;
  std::uint32_t io_apic_inputs = 0;
  std::optional<std::uint32_t> serial_interrupt;
};
[[nodiscard]] const InterruptFacts& interrupt_facts();

}  // namespace arch::x86
