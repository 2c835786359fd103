// See the header. Tables: Intel SDM Vol. 3A §4.5. Caching: PWT alone is write combining, with PCD
// uncached, as set_page_attributes() in control_registers.cpp has it.
#include "arch/x86_64/device_mapping.hpp"

#include <array>

#include "arch/frame_memory.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/registers.hpp"
#include "kernel/base/memory_map.hpp"

namespace arch::x86 {
namespace {

using reprise::PhysAddr;

constexpr std::uint64_t small_page = reprise::page_size;
constexpr std::uint64_t large_page = small_page * 512;
constexpr unsigned top_level = 4;

// One table frame for each of a few scattered devices, plus what a large framebuffer's ends take.
constexpr std::size_t pool_frames = 24;
using Table = std::array<std::uint64_t, 512>;
alignas(reprise::page_size) constinit std::array<Table, pool_frames> pool{};
constinit std::size_t pool_used = 0;

std::uint64_t flags_of(CacheMode mode) {
  const std::uint64_t flags = TableEntry::P::mask | TableEntry::Rw::mask | TableEntry::G::mask |
                              TableEntry::Xd::mask | TableEntry::A::mask | TableEntry::D::mask;
  switch (mode) {
    case CacheMode::Uncached: return flags | TableEntry::Pwt::mask | TableEntry::Pcd::mask;
    case CacheMode::WriteCombining: return flags | TableEntry::Pwt::mask;
    case CacheMode::WriteBack: break;
  }
  return flags;
}

// Maps one page, large when `fits_large`; returns how many bytes that covered, 0 for no table.
std::uint64_t map_one(PhysAddr table, std::uint64_t address, std::uint64_t flags, bool fits_large,
                      const TableAccess& access) {
  const std::uint64_t linear = reprise::direct_map_base + address;
  for (unsigned level = top_level; level > 1; --level) {
    const unsigned shift = 12 + 9 * (level - 1);
    std::uint64_t& entry = access.entries(table)[(linear >> shift) & 511];
    const bool present = (entry & TableEntry::P::mask) != 0;
    if (present && (entry & TableEntry::Ps::mask) != 0) {  // memory or an earlier call has it
      return (std::uint64_t{1} << shift) - (address & ((std::uint64_t{1} << shift) - 1));
    }
    if (!present && level == 2 && fits_large) {
      entry = address | flags | TableEntry::Ps::mask;
      return large_page;
    }
    if (!present) {
      const auto fresh = access.allocate();
      if (!fresh) return 0;
      entry = fresh->value() | TableEntry::P::mask | TableEntry::Rw::mask;
    }
    table = PhysAddr{entry & TableEntry::Frame::mask};
  }
  std::uint64_t& entry = access.entries(table)[(linear >> 12) & 511];
  if ((entry & TableEntry::P::mask) == 0) entry = address | flags;
  return small_page;
}

std::optional<PhysAddr> allocate_table() {
  if (pool_used == pool.size()) return std::nullopt;
  const auto address = reinterpret_cast<std::uint64_t>(pool[pool_used++].data());
  return PhysAddr{address - reprise::kernel_base};
}

std::uint64_t* table_entries(PhysAddr table) { return frame_words(frame_of(table)).data(); }

}  // namespace

bool map_device_pages(PhysAddr root, PhysAddr start, std::size_t size, CacheMode mode,
                      const TableAccess& access) {
  if (size == 0 || size > reprise::direct_map_limit ||
      start.value() > reprise::direct_map_limit - size) {
    return false;
  }
  const std::uint64_t end = reprise::round_up(start.value() + size);
  for (std::uint64_t at = reprise::round_down(start.value()); at < end;) {
    const bool fits_large = at % large_page == 0 && end - at >= large_page;
    const std::uint64_t covered = map_one(root, at, flags_of(mode), fits_large, access);
    if (covered == 0) return false;
    at += covered;
  }
  return true;
}

std::span<std::byte> map_device(PhysAddr start, std::size_t size, CacheMode mode) {
  const PhysAddr root{read_cr3() & TableEntry::Frame::mask};
  if (!map_device_pages(root, start, size, mode, {table_entries, allocate_table})) return {};
  return {reinterpret_cast<std::byte*>(reprise::direct_map_base + start.value()), size};
}

}  // namespace arch::x86
