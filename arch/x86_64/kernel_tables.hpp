// The kernel's half of every address space, built once at boot (kernel_tables.cpp). The pieces of
// it, which devices use too, stand in kernel_mapping.cpp: what is mapped stays as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernel/base/address.hpp"
#include "kernel/base/frame_source.hpp"

namespace arch::x86 {

// The root of the kernel's tables: every address space takes over its upper half.
[[nodiscard]] reprise::FrameNumber kernel_root();

// Where frames for tables come from. It panics when they run out: nothing is mapped after boot.
void take_table_frames_from(reprise::FrameSource& frames);
[[nodiscard]] reprise::FrameNumber new_table();
// The entry for `address` at `level` (1: 4 KiB, 2: 2 MiB); tables above it are made.
[[nodiscard]] std::uint64_t& kernel_entry(std::uint64_t address, unsigned level);
// Physical memory at its place in the direct map; `rights` are the entries' bits.
void map_direct(reprise::PhysAddr start, std::uint64_t bytes, std::uint64_t rights);

enum class CacheMode : std::uint8_t {
  WriteBack,       // firmware tables: ordinary memory
  Uncached,        // registers
  WriteCombining,  // framebuffers: written in bursts, reads are slow
};
// A device appears where memory at its physical address would. An empty span when that is out of
// the direct map's reach. Relies on build_kernel_tables().
[[nodiscard]] std::span<std::byte> map_device(reprise::PhysAddr start, std::size_t size,
                                              CacheMode mode);

}  // namespace arch::x86
