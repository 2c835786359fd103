// Device memory in the kernel's address space. A device appears where memory at its physical
// address would: in the direct map, with the caching that it needs. Table frames come from a small
// fixed pool, so that mapping a device needs no allocator and cannot run out because of what
// programs use.
//
// Relies on build_kernel_tables(): before it the boot tables map everything, and what is mapped
// already, whole pages of memory included, is used as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kernel/base/address.hpp"

namespace arch::x86 {

enum class CacheMode : std::uint8_t {
  WriteBack,       // firmware tables: ordinary memory
  Uncached,        // registers
  WriteCombining,  // framebuffers: written in bursts, reads are slow
};

// The device's bytes, or an empty span when it lies out of reach or the pool is used up.
[[nodiscard]] std::span<std::byte> map_device(reprise::PhysAddr start, std::size_t size,
                                              CacheMode mode);

// The work behind it, on tables that are reached through functions: for host tests.
struct TableAccess {
  std::uint64_t* (*entries)(reprise::PhysAddr table);
  std::optional<reprise::PhysAddr> (*allocate)();  // a zeroed table
};
[[nodiscard]] bool map_device_pages(reprise::PhysAddr root, reprise::PhysAddr start,
                                    std::size_t size, CacheMode mode, const TableAccess& access);

}  // namespace arch::x86
