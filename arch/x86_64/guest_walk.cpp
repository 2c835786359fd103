// Where a guest's code lies: the guest's own page tables walked in software, each entry read
// through the nested table (AMD APM Vol. 2 chapter 5).
#include "arch/guest_walk.hpp"
#include "arch/direct_map.hpp"
#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/registers.hpp"
#include "arch/x86_64/vmcb.hpp"
#include "kernel/base/memory_map.hpp"

namespace arch {

using namespace x86;
using reprise::PageNumber;
using reprise::UserAddr;

namespace {

struct Paging {
  unsigned levels, index_bits, entry_bytes;
  bool large_pages;
};

Paging paging_of(const Vmcb& block) {
  if ((block.efer & Efer::Lma) != 0) return {4, 9, 8, true};
  if ((block.cr4 & Cr4::Pae) != 0) return {3, 9, 8, true};
  return {2, 10, 4, (block.cr4 & Cr4::Pse) != 0};
}

// Nothing: the guest has no memory there.
std::optional<std::uint64_t> read_entry(const PageTable& table, std::uint64_t at,
                                        unsigned entry_bytes) {
  const auto mapping = table.find(page_of(UserAddr{at}));
  if (!mapping || !mapping->permissions.read) return std::nullopt;
  const std::uint64_t word = frame_words(mapping->frame)[at % reprise::page_size / 8];
  if (entry_bytes == 8) return word;
  const unsigned shift = at % 8 == 0 ? 0 : 32;
  return word >> shift & 0xffffffff;
}

// The guest-physical address that its page tables give for a linear one.
std::optional<std::uint64_t> translate(const Vmcb& block, const PageTable& table,
                                       std::uint64_t linear) {
  const Paging paging = paging_of(block);
  const std::uint64_t index_mask = (1u << paging.index_bits) - 1;
  std::uint64_t base = block.cr3 & TableEntry::Frame;
  if (paging.levels == 3) base = block.cr3 & 0xffffffe0;
  for (unsigned level = paging.levels;; --level) {
    const unsigned shift = reprise::page_shift + paging.index_bits * (level - 1);
    const std::uint64_t index = linear >> shift & index_mask;
    const auto entry = read_entry(table, base + index * paging.entry_bytes, paging.entry_bytes);
    if (!entry || (*entry & TableEntry::P) == 0) return std::nullopt;
    const bool large = level > 1 && paging.large_pages && (*entry & TableEntry::Ps) != 0;
    if (level > 1 && !large) {
      base = *entry & TableEntry::Frame;
      continue;
    }
    const std::uint64_t within = (std::uint64_t{1} << shift) - 1;
    return (*entry & TableEntry::Frame & ~within) | (linear & within);
  }
}

}  // namespace

std::optional<PageNumber> code_page(const UserState& state, const PageTable& table,
                                    std::uint64_t address) {
  if (state.virtual_cpu == nullptr) {
    if (address >= reprise::user_high) return std::nullopt;
    return page_of(UserAddr{address});
  }
  const Vmcb& block = state.virtual_cpu->block();
  constexpr std::size_t cs = 1;
  std::uint64_t linear = address + block.segments[cs].base;
  if ((block.efer & Efer::Lma) == 0) linear &= 0xffffffff;
  if ((block.cr0 & Cr0::Pg) == 0) return page_of(UserAddr{linear});
  const auto at = translate(block, table, linear);
  if (!at) return std::nullopt;
  return page_of(UserAddr{*at});
}

}  // namespace arch
