// See kernel_tables.hpp. Tables: Intel SDM Vol. 3A §4.5. Caching: PWT alone is write combining,
// with PCD uncached, as set_page_attributes() in control_registers.cpp has it.
#include "arch/frame_memory.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/registers.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/base/memory_map.hpp"

namespace arch::x86 {
namespace {

using E = TableEntry;
using reprise::FrameNumber;
using reprise::PhysAddr;

constexpr std::uint64_t large_page = 2 << 20;

constinit reprise::FrameSource* table_frames = nullptr;

}  // namespace

void take_table_frames_from(reprise::FrameSource& frames) { table_frames = &frames; }

FrameNumber new_table() {
  const std::optional<FrameNumber> frame = table_frames->allocate();
  if (!frame) REPRISE_PANIC("no memory for the kernel's page tables");
  clear_frame(*frame);
  return *frame;
}

std::uint64_t& kernel_entry(std::uint64_t address, unsigned level) {
  FrameNumber table = kernel_root();
  for (unsigned at = 4;; --at) {
    const std::uint64_t index = address >> (reprise::page_shift + 9 * (at - 1)) & 511;
    std::uint64_t& entry = frame_words(table)[index];
    if (at == level) return entry;
    if (entry == 0) entry = address_of(new_table()).value() | E::P::mask | E::Rw::mask;
    REPRISE_ASSERT((entry & E::Ps::mask) == 0);
    table = frame_of(PhysAddr{entry & E::Frame::mask});
  }
}

void map_direct(PhysAddr start, std::uint64_t bytes, std::uint64_t rights) {
  std::uint64_t at = reprise::round_down(start.value());
  const std::uint64_t end = reprise::round_up(start.value() + bytes);
  REPRISE_ASSERT(end <= reprise::direct_map_limit);
  while (at < end) {
    const std::uint64_t address = reprise::direct_map_base + at;
    std::uint64_t& large = kernel_entry(address, 2);
    const bool fits = at % large_page == 0 && end - at >= large_page;
    if (large == 0 && fits) large = at | rights | E::Ps::mask;
    if ((large & E::Ps::mask) != 0) {  // now, or before
      at = (at | (large_page - 1)) + 1;
      continue;
    }
    std::uint64_t& small = kernel_entry(address, 1);
    if (small == 0) small = at | rights;
    at += reprise::page_size;
  }
}

std::span<std::byte> map_device(PhysAddr start, std::size_t size, CacheMode mode) {
  if (size == 0 || size > reprise::direct_map_limit ||
      start.value() > reprise::direct_map_limit - size) {
    return {};
  }
  std::uint64_t rights = E::P::mask | E::Rw::mask | E::G::mask | E::Xd::mask;
  if (mode != CacheMode::WriteBack) rights |= E::Pwt::mask;
  if (mode == CacheMode::Uncached) rights |= E::Pcd::mask;
  map_direct(start, size, rights);
  return {reinterpret_cast<std::byte*>(reprise::direct_map_base + start.value()), size};
}

}  // namespace arch::x86
