// The few facts that Reprise wants from the firmware's ACPI tables (ACPI Specification 6.5 §5.2):
// interrupt controllers, the power management timer, the way to reset. Pure logic: a function
// copies memory. Each table's checksum is verified; a broken or missing table is left out, not
// guessed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kernel/base/interrupt_controllers.hpp"

namespace reprise {

struct ResetRegister {
  enum class Space : std::uint8_t { Memory, Port } space;
  std::uint64_t address;
  std::uint8_t value;
};

struct AcpiFacts {
  unsigned tables = 0;  // found with a good checksum
  // An ISA line without an override arrives at the pin of the same number, edge triggered, active
  // high (§5.2.12.5).
  InterruptControllers interrupts{};
  std::uint16_t timer_port = 0;  // of the power management timer; 0: none
  bool timer_has_32_bits = false;
  std::optional<ResetRegister> reset;
  std::uint8_t century_register = 0;  // in CMOS; 0: none
};

// Copies physical memory; false when it cannot be read.
using ReadPhysical = bool (*)(std::uint64_t address, std::span<std::byte> to);

// `root` is the RSDP's address; with 0 the facts are empty.
[[nodiscard]] AcpiFacts read_acpi(std::uint64_t root, ReadPhysical read);

}  // namespace reprise
