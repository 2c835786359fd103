// See page_walker.hpp.
#include "user/monitor/page_walker.hpp"

namespace monitor {
namespace {

constexpr std::uint64_t cr0_paging = 1ul << 31, cr0_write_protect = 1ul << 16;
constexpr std::uint64_t cr4_large_pages = 1 << 4, cr4_wide_entries = 1 << 5;
constexpr std::uint64_t efer_long_active = 1 << 10;
constexpr std::uint64_t present = 1, writable = 2, user = 4, accessed = 0x20, dirty = 0x40,
                        large = 0x80;
constexpr std::uint64_t address_bits = 0x000f'ffff'ffff'f000;
constexpr std::uint64_t fault_present = 1, fault_write = 2, fault_user = 4;
constexpr unsigned page_shift = 12, user_ring = 3;

constexpr std::uint64_t low_bits(unsigned count) { return (std::uint64_t{1} << count) - 1; }

}  // namespace

bool PageWalker::has_wide_entries() const { return (state_.cr4 & cr4_wide_entries) != 0; }

unsigned PageWalker::levels() const {
  if (!has_wide_entries()) return 2;
  return (state_.efer & efer_long_active) != 0 ? 4 : 3;
}

Translation PageWalker::walk(std::uint64_t linear, MemoryUse use) {
  const bool long_mode = (state_.efer & efer_long_active) != 0;
  if (!long_mode) linear &= low_bits(32);
  if ((state_.cr0 & cr0_paging) == 0) return {.found = true, .physical = linear};
  return walk_tables(linear, use);
}

Translation PageWalker::fault(MemoryUse use, bool is_present) const {
  return {.error_code = (is_present ? fault_present : 0) |
                        (use == MemoryUse::Write ? fault_write : 0) |
                        (state_.cpl == user_ring ? fault_user : 0)};
}

std::optional<std::uint64_t> PageWalker::read_entry(std::uint64_t address) {
  std::uint64_t entry = 0;
  if (!memory_.read(address, &entry, has_wide_entries() ? 8 : 4)) return std::nullopt;
  return entry;
}

bool PageWalker::mark(std::uint64_t address, std::uint64_t& entry, std::uint64_t bits) {
  if ((entry & bits) == bits) return true;
  entry |= bits;
  return memory_.write(address, &entry, has_wide_entries() ? 8 : 4);
}

// `level` counts from 1, the tables that have pages of 4 KiB.
bool PageWalker::is_large(std::uint64_t entry, unsigned level) const {
  if (level == 1 || (entry & large) == 0) return false;
  if (!has_wide_entries()) return (state_.cr4 & cr4_large_pages) != 0;
  return level == 2 || (level == 3 && levels() == 4);
}

bool PageWalker::allows(const Rights& rights, MemoryUse use) const {
  const bool from_user = state_.cpl == user_ring;
  if (from_user && !rights.user) return false;
  if (use == MemoryUse::Read || rights.writable) return true;
  return !from_user && (state_.cr0 & cr0_write_protect) == 0;
}

// In 32-bit paging bits 20:13 of a 4 MiB page's entry are its address bits 39:32 (PSE-36).
std::uint64_t PageWalker::page_base(std::uint64_t entry, unsigned shift) const {
  if (has_wide_entries()) return entry & address_bits & ~low_bits(shift);
  const std::uint64_t base = entry & low_bits(32) & ~low_bits(shift);
  return shift == page_shift ? base : base | (entry >> 13 & low_bits(8)) << 32;
}

Translation PageWalker::walk_tables(std::uint64_t linear, MemoryUse use) {
  const unsigned index_bits = has_wide_entries() ? 9 : 10;
  const std::uint64_t entry_bytes = has_wide_entries() ? 8 : 4;
  const bool begins_with_four_entries = levels() == 3;
  std::uint64_t table =
      begins_with_four_entries ? state_.cr3 & 0xffff'ffe0 : state_.cr3 & address_bits;
  Rights rights;
  for (unsigned level = levels(); level != 0; --level) {
    const unsigned shift = page_shift + (level - 1) * index_bits;
    const std::uint64_t address = table + (linear >> shift & low_bits(index_bits)) * entry_bytes;
    std::optional<std::uint64_t> entry = read_entry(address);
    if (!entry || (*entry & present) == 0) return fault(use, false);
    const bool has_no_rights = begins_with_four_entries && level == 3;
    if (!has_no_rights) {
      rights.writable = rights.writable && (*entry & writable) != 0;
      rights.user = rights.user && (*entry & user) != 0;
    }
    const bool is_last = level == 1 || is_large(*entry, level);
    if (is_last && !allows(rights, use)) return fault(use, true);
    const bool dirties = is_last && use == MemoryUse::Write;
    if (!has_no_rights && !mark(address, *entry, accessed | (dirties ? dirty : 0)))
      return fault(use, false);
    if (is_last)
      return {.found = true, .physical = page_base(*entry, shift) | (linear & low_bits(shift))};
    table = *entry & (has_wide_entries() ? address_bits : 0xffff'f000);
  }
  return fault(use, false);
}

}  // namespace monitor
