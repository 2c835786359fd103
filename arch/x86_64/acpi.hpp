// The few facts that Reprise wants from the firmware's ACPI tables (ACPI Specification 6.5 §5.2):
// interrupt controllers, the power management timer, the way to reset. Pure logic: memory is
// reached through a function, each table's checksum is verified, and what is broken or missing is
// left out rather than guessed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kernel/base/address.hpp"

namespace arch {

struct IoApicEntry {
  reprise::PhysAddr address;
  std::uint32_t first_interrupt;  // global system interrupt behind its first pin
};

// Where an ISA interrupt really arrives; without an entry it is the pin of the same number, edge
// triggered, active high (ACPI §5.2.12.5).
struct InterruptSource {
  std::uint8_t isa_line;
  std::uint32_t interrupt;
  bool active_low;
  bool level_triggered;
};

struct ResetRegister {
  enum class Space : std::uint8_t { Memory = 0, Port = 1 };
  Space space;
  std::uint64_t address;
  std::uint8_t value;
};

template <class T, std::size_t Capacity>
struct ShortList {
  std::array<T, Capacity> items{};
  std::size_t count = 0;
  void add(const T& item) {
    if (count < Capacity) items[count++] = item;
  }
  [[nodiscard]] std::span<const T> view() const { return std::span{items}.first(count); }
};

struct AcpiFacts {
  unsigned tables = 0;  // found with a good checksum
  unsigned processors = 0;
  std::optional<reprise::PhysAddr> local_apic;
  ShortList<IoApicEntry, 8> io_apics;
  ShortList<InterruptSource, 16> sources;
  std::optional<std::uint16_t> timer_port;
  bool timer_has_32_bits = false;
  std::optional<ResetRegister> reset;
  std::uint8_t century_register = 0;  // in CMOS; 0: none

  [[nodiscard]] InterruptSource source_of(std::uint8_t isa_line) const;
};

// Physical memory at an address, or an empty span when it cannot be reached.
using ReadPhysical = std::span<const std::byte> (*)(reprise::PhysAddr start, std::size_t size);

// `root` is the RSDP; 0 gives facts with nothing in them.
[[nodiscard]] AcpiFacts read_acpi(reprise::PhysAddr root, ReadPhysical read);

}  // namespace arch
