// The user half of the 4-level tables (Intel SDM Vol. 3A §4.5). A leaf entry carries, beside what
// the MMU reads, four software bits (9 to 11 and 52 are ignored by it, as are all when P is clear):
//
//   bit 9   mapped      the page exists; an entry without it is zero
//   bit 10  writable    the process may write, whatever the hardware's Rw says now
//   bit 11  shared      the frame is not the page's own
//   P       the process may read, Xd: it may not execute
//
// Tables stay until the space is destroyed; entries above the leaves allow everything.
#include "arch/page_table.hpp"

#include "arch/frame_memory.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "kernel/base/assert.hpp"

namespace arch {

using namespace x86;
using reprise::FrameNumber;
using reprise::PageNumber;

namespace {

using E = TableEntry;
using Mapped = Field<9>;
using Writable = Field<10>;
using Shared = Field<11>;

constexpr std::size_t user_slots = 256;  // of the root; the rest is the kernel's half
constexpr std::uint64_t inner_rights = E::P::mask | E::Rw::mask | E::Us::mask;

std::size_t index_at(PageNumber page, unsigned level) {
  return page.value() >> (9 * (level - 1)) & 511;
}

// Pages that one entry at `level` stands for.
constexpr std::uint64_t pages_of(unsigned level) { return 1ull << (9 * (level - 1)); }

FrameNumber frame_in(std::uint64_t entry) {
  return reprise::frame_of(reprise::PhysAddr{entry & E::Frame::mask});
}

bool in_user_half(PageNumber page) { return page.value() < user_slots * pages_of(4); }

std::uint64_t* find_leaf(FrameNumber root, PageNumber page) {
  if (!in_user_half(page)) return nullptr;
  FrameNumber table = root;
  for (unsigned level = 4; level > 1; --level) {
    const std::uint64_t entry = frame_words(table)[index_at(page, level)];
    if (entry == 0) return nullptr;
    table = frame_in(entry);
  }
  std::uint64_t& leaf = frame_words(table)[index_at(page, 1)];
  return leaf == 0 ? nullptr : &leaf;
}

std::uint64_t& existing_leaf(FrameNumber root, PageNumber page) {
  std::uint64_t* const leaf = find_leaf(root, page);
  REPRISE_ASSERT(leaf != nullptr);
  return *leaf;
}

std::uint64_t encode(const Mapping& m) {
  const bool enabled = m.write_access == WriteAccess::Enabled;
  // What is shared is never written; what the process may not write, the hardware never allows.
  REPRISE_ASSERT(!enabled || (m.permissions.write && m.ownership == Ownership::Owned));
  return address_of(m.frame).value() | Mapped::mask | E::Us::mask | E::P::put(m.permissions.read) |
         E::Rw::put(enabled) | Writable::put(m.permissions.write) |
         Shared::put(m.ownership == Ownership::Shared) | E::Xd::put(!m.permissions.execute);
}

Mapping decode(std::uint64_t entry) {
  return {
      .frame = frame_in(entry),
      .permissions = {.read = (entry & E::P::mask) != 0,
                      .write = (entry & Writable::mask) != 0,
                      .execute = (entry & E::Xd::mask) == 0},
      .ownership = (entry & Shared::mask) != 0 ? Ownership::Shared : Ownership::Owned,
      .write_access = (entry & E::Rw::mask) != 0 ? WriteAccess::Enabled : WriteAccess::Protected};
}

// The first mapped page in [from, end) below `table`, whose first page is `base`.
std::optional<PageNumber> first_in(FrameNumber table, unsigned level, std::uint64_t base,
                                   std::uint64_t from, std::uint64_t end) {
  const std::uint64_t step = pages_of(level);
  const FrameWords entries = frame_words(table);
  for (std::uint64_t i = from > base ? (from - base) / step : 0; i < entries.size(); ++i) {
    const std::uint64_t start = base + i * step;
    if (start >= end) break;
    if (entries[i] == 0) continue;
    if (level == 1) return PageNumber{start};
    const auto found = first_in(frame_in(entries[i]), level - 1, start, from, end);
    if (found) return found;
  }
  return std::nullopt;
}

void release_below(FrameNumber table, unsigned level, reprise::FrameSource& frames) {
  const FrameWords entries = frame_words(table);
  for (std::size_t i = 0; i < (level == 4 ? user_slots : entries.size()); ++i) {
    const std::uint64_t entry = entries[i];
    if (entry == 0) continue;
    if (level > 1) release_below(frame_in(entry), level - 1, frames);
    if (level == 1 && (entry & Shared::mask) != 0) continue;
    frames.release(frame_in(entry));
  }
}

}  // namespace

PageTable::PageTable(FrameNumber root, reprise::FrameSource& frames)
    : root_{root}, frames_{&frames} {}

PageTable::PageTable(PageTable&& other) noexcept : root_{other.root_}, frames_{other.frames_} {
  other.frames_ = nullptr;
}

PageTable::~PageTable() {
  if (frames_ == nullptr) return;
  release_below(root_, 4, *frames_);
  frames_->release(root_);
}

std::optional<PageTable> PageTable::create(reprise::FrameSource& frames) {
  const std::optional<FrameNumber> root = frames.allocate();
  if (!root) return std::nullopt;
  clear_frame(*root);
  const FrameWords entries = frame_words(*root);
  const FrameWords kernel = frame_words(kernel_root());
  for (std::size_t i = user_slots; i < entries.size(); ++i) entries[i] = kernel[i];
  return PageTable{*root, frames};
}

bool PageTable::map(PageNumber page, const Mapping& mapping) {
  REPRISE_ASSERT(in_user_half(page));
  FrameNumber table = root_;
  for (unsigned level = 4; level > 1; --level) {
    std::uint64_t& entry = frame_words(table)[index_at(page, level)];
    if (entry == 0) {
      const std::optional<FrameNumber> frame = frames_->allocate();
      if (!frame) return false;
      clear_frame(*frame);
      entry = address_of(*frame).value() | inner_rights;
    }
    table = frame_in(entry);
  }
  frame_words(table)[index_at(page, 1)] = encode(mapping);
  return true;
}

std::optional<Mapping> PageTable::find(PageNumber page) const {
  const std::uint64_t* const leaf = find_leaf(root_, page);
  if (leaf == nullptr) return std::nullopt;
  return decode(*leaf);
}

std::optional<Mapping> PageTable::unmap(PageNumber page) {
  std::uint64_t* const leaf = find_leaf(root_, page);
  if (leaf == nullptr) return std::nullopt;
  const Mapping mapping = decode(*leaf);
  *leaf = 0;
  return mapping;
}

std::optional<PageNumber> PageTable::next_mapped(PageNumber from, PageNumber end) const {
  const std::uint64_t limit = user_slots * pages_of(4);
  return first_in(root_, 4, 0, from.value(), end.value() < limit ? end.value() : limit);
}

void PageTable::replace(PageNumber page, FrameNumber frame, WriteAccess write_access) {
  std::uint64_t& leaf = existing_leaf(root_, page);
  leaf = encode({frame, decode(leaf).permissions, Ownership::Owned, write_access});
}

void PageTable::set_write_access(PageNumber page, WriteAccess write_access) {
  std::uint64_t& leaf = existing_leaf(root_, page);
  Mapping mapping = decode(leaf);
  mapping.write_access = write_access;
  leaf = encode(mapping) | (leaf & E::A::mask);
}

bool PageTable::dirty(PageNumber page) const {
  return (existing_leaf(root_, page) & E::D::mask) != 0;
}

void PageTable::clear_dirty(PageNumber page) { existing_leaf(root_, page) &= ~E::D::mask; }

bool PageTable::accessed(PageNumber page) const {
  return (existing_leaf(root_, page) & E::A::mask) != 0;
}

void PageTable::activate() const { write_cr3(address_of(root_).value()); }

void PageTable::invalidate(PageNumber page) { invlpg(address_of(page).value()); }

void PageTable::invalidate_user() { write_cr3(read_cr3()); }

}  // namespace arch
