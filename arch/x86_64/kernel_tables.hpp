// The kernel's half of every address space: built at boot, joined by devices as they are found.
#pragma once

#include <span>

#include "arch/x86_64/registers.hpp"
#include "kernel/base/address.hpp"

namespace arch::x86 {

// The root of the kernel's tables: every address space takes over its upper half.
[[nodiscard]] reprise::FrameNumber kernel_root();

// How memory is cached: the bits of a table entry that set_control_registers() gives this meaning.
enum class CacheMode : std::uint64_t {
  WriteBack = 0,                                 // ordinary memory
  WriteCombining = TableEntry::Pwt,              // framebuffers: written in bursts
  Uncached = TableEntry::Pwt | TableEntry::Pcd,  // registers
};

// Device memory, mapped where memory at its physical address would be, after build_kernel_tables().
// What is mapped already is used as it is. Empty when it is out of reach or no frame is left.
[[nodiscard]] std::span<std::byte> map_device(reprise::PhysAddr start, std::size_t size,
                                              CacheMode mode);

}  // namespace arch::x86
