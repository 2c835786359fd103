// The kernel's half of every address space: built at boot, joined by devices as they are found.
// All 256 tables below the root's upper half exist from boot on. Every address space copies these
// entries when it is created, so it also sees what the kernel maps later.
#pragma once

#include <span>

#include "arch/x86_64/registers.hpp"
#include "kernel/base/address.hpp"

namespace arch::x86 {

// The rights of kernel pages, as bits of a table entry.
inline constexpr std::uint64_t kernel_executable = TableEntry::P | TableEntry::G;
inline constexpr std::uint64_t kernel_readable = kernel_executable | TableEntry::Xd;
inline constexpr std::uint64_t kernel_writable = kernel_readable | TableEntry::Rw;

// The root of the kernel's tables.
[[nodiscard]] reprise::FrameNumber kernel_root();

// How memory is cached: the bits of a table entry that set_control_registers() gives this meaning.
enum class CacheMode : std::uint64_t {
  WriteBack = 0,                                 // ordinary memory
  WriteCombining = TableEntry::Pwt,              // framebuffers: written in bursts
  Uncached = TableEntry::Pwt | TableEntry::Pcd,  // registers
};

// After build_kernel_tables(): maps physical memory at its place in the direct map. What is mapped
// already is used as it is. Empty when it is out of reach, mapped without the right to write that
// `rights` has, or no frame is left.
[[nodiscard]] std::span<std::byte> map_physical(reprise::PhysAddr start, std::size_t size,
                                                std::uint64_t rights);
[[nodiscard]] std::span<std::byte> map_device(reprise::PhysAddr start, std::size_t size,
                                              CacheMode mode);

}  // namespace arch::x86
