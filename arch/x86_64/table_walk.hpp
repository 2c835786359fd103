// Ways through the 4-level tables (Intel SDM Vol. 3A §4.5), for the kernel and for programs.
#pragma once

#include <optional>

#include "arch/frame_memory.hpp"
#include "arch/x86_64/registers.hpp"
#include "kernel/base/address.hpp"
#include "kernel/base/memory_map.hpp"

namespace arch::x86 {

[[nodiscard]] inline reprise::FrameNumber frame_in(std::uint64_t entry) {
  return reprise::frame_containing(reprise::PhysAddr{entry & TableEntry::Frame});
}

// Every entry has more than one bit. One alone is a flip in a word that holds none: no frame stands
// behind it.
[[nodiscard]] constexpr bool holds_no_entry(std::uint64_t word) { return (word & (word - 1)) == 0; }

// Which eighths of the table below it hold entries, or once did, an entry notes in bits 52 to 59:
// the CPU ignores them above the pages (Intel SDM Vol. 3A §4.5.5, for guests Vol. 3C §29.3.2; AMD
// APM Vol. 2 §5.4.1). So most of a table, which is mostly empty, need not be looked at.
inline constexpr std::size_t entries_in_eighth = 64;
inline constexpr unsigned eighths_shift = 52;
[[nodiscard]] constexpr std::uint64_t eighth_of(std::size_t index) {
  return bit(eighths_shift + static_cast<unsigned>(index / entries_in_eighth));
}

// The entry for `address` at `level` (1: 4 KiB, 2: 2 MiB), or that of a large page above it.
// Missing tables are made with `rights`; nullptr when there is no frame for one, or no `frames`.
[[nodiscard]] inline std::uint64_t* table_entry(reprise::FrameNumber table, std::uint64_t address,
                                                unsigned level, reprise::FrameSource* frames,
                                                std::uint64_t rights) {
  std::uint64_t* above = nullptr;
  for (unsigned at = 4;; --at) {
    const std::size_t index = address >> (9 * at + 3) & 511;
    std::uint64_t& entry = frame_words(table)[index];
    if (frames != nullptr && above != nullptr) *above |= eighth_of(index);
    if (at == level) return &entry;
    if (holds_no_entry(entry)) {
      const auto fresh = frames == nullptr ? std::nullopt : frames->allocate();
      if (!fresh) return nullptr;
      clear_frame(*fresh);
      entry = address_of(*fresh).value() | rights;
    }
    if ((entry & TableEntry::Ps) != 0) return &entry;
    table = frame_in(entry);
    above = &entry;
  }
}

// What entries above the kernel's pages allow: the page's own entry decides.
inline constexpr std::uint64_t inner_kernel_rights = TableEntry::P | TableEntry::Rw;

// Gives every entry of the root's upper half a table. False when there are too few frames.
[[nodiscard]] inline bool fill_upper_half(reprise::FrameNumber root, reprise::FrameSource& frames) {
  const FrameWords entries = frame_words(root);
  for (std::uint64_t& entry : entries.last(entries.size() / 2)) {
    if (entry != 0) continue;
    const auto table = frames.allocate();
    if (!table) return false;
    clear_frame(*table);
    entry = address_of(*table).value() | inner_kernel_rights;
  }
  return true;
}

// Maps physical memory at its place in the direct map, in large pages where they fit. What is
// mapped already stays as it is. False when it lies out of reach, is mapped but not to be written
// to as `rights` have it, or there is no frame for a table.
[[nodiscard]] inline bool map_direct(reprise::FrameNumber root, reprise::PhysAddr start,
                                     std::uint64_t size, std::uint64_t rights,
                                     reprise::FrameSource& frames) {
  constexpr std::uint64_t large_page = 2 << 20, above = inner_kernel_rights;
  constexpr std::uint64_t limit = reprise::direct_map_limit;
  if (size > limit || start.value() > limit - size) return false;
  const std::uint64_t end = reprise::round_up(start.value() + size);
  for (std::uint64_t at = reprise::round_down(start.value()); at < end;) {
    const std::uint64_t address = reprise::direct_map_base + at;
    std::uint64_t* entry = table_entry(root, address, 2, &frames, above);
    if (entry == nullptr) return false;
    if (*entry == 0 && at % large_page == 0 && end - at >= large_page) {
      *entry = at | rights | TableEntry::Ps;
    }
    const bool large = (*entry & TableEntry::Ps) != 0;
    if (!large) entry = table_entry(root, address, 1, &frames, above);
    if (entry == nullptr) return false;
    if (*entry == 0) *entry = at | rights;
    if ((rights & ~*entry & TableEntry::Rw) != 0) return false;
    const std::uint64_t next_large = at - at % large_page + large_page;
    at = large ? next_large : at + reprise::page_size;
  }
  return true;
}

}  // namespace arch::x86
