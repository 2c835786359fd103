// What the boot loader left in memory, as far as the kernel itself needs it. init reads the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kernel/base/address.hpp"

namespace arch {

struct MemoryRange {
  reprise::PhysAddr start;
  std::uint64_t size;  // bytes
};

inline constexpr std::size_t max_memory_ranges = 128;
inline constexpr std::size_t max_modules = 64;

struct BootInfo {
  // Usable and free, in whole pages: image, modules and boot data are cut out. Some may be empty.
  std::span<const MemoryRange> memory;
  std::span<const MemoryRange> modules;          // page-aligned starts
  std::optional<std::size_t> init, personality;  // the first of the modules with that string
  MemoryRange blob;                              // all that the boot loader left to be read
  std::uint64_t total_memory;                    // bytes of usable RAM before the cuts
};

// `magic` and `info_address` as the loader gave them in registers. Exits MachineUnfit when they
// cannot be used.
[[nodiscard]] const BootInfo& read_boot_info(std::uint32_t magic, std::uint32_t info_address);

}  // namespace arch
