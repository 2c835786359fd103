// The few facts that Reprise wants from the firmware's ACPI tables (ACPI Specification 6.5 §5.2):
// interrupt controllers, the power management timer, the way to reset. Pure logic: memory is
// reached through a function, each table's checksum is verified, and what is broken or missing is
// left out rather than guessed.
#pragma once

#include <array>
#include <optional>

#include "arch/x86_64/bytes.hpp"
#include "kernel/base/address.hpp"

namespace arch {

struct IoApicEntry {
  reprise::PhysAddr address;
  std::uint32_t first_interrupt;  // global system interrupt behind its first pin
};

struct InterruptSource {
  std::uint32_t interrupt;  // global system interrupt
  bool active_low, level_triggered;
};

struct ResetRegister {
  enum class Space : std::uint8_t { Memory, Port } space;
  std::uint64_t address;
  std::uint8_t value;
};

struct AcpiFacts {
  unsigned tables = 0;  // found with a good checksum
  std::array<IoApicEntry, 8> io_apics{};
  std::size_t io_apic_count = 0;
  // Where each ISA interrupt really arrives: without an override at the pin of the same number,
  // edge triggered, active high (§5.2.12.5).
  std::array<InterruptSource, 16> isa{};
  std::uint16_t timer_port = 0;  // of the power management timer; 0: none
  bool timer_has_32_bits = false;
  std::optional<ResetRegister> reset;
  std::uint8_t century_register = 0;  // in CMOS; 0: none
};
extern AcpiFacts acpi_facts;  // the machine's, once start_interrupts() has read them

// Physical memory at an address, or an empty span when it cannot be reached.
using ReadPhysical = Bytes (*)(reprise::PhysAddr start, std::size_t size);

// `root` is the RSDP; 0 gives facts with nothing in them.
[[nodiscard]] AcpiFacts read_acpi(reprise::PhysAddr root, ReadPhysical read);

}  // namespace arch
