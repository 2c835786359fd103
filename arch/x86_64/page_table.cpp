// The user half of the 4-level tables (Intel SDM Vol. 3A §4.5). A leaf entry carries, beside what
// the MMU reads, four software bits (9 to 11 and 52 are ignored by it, as are all when P is clear):
//
//   bit 9   mapped      the page exists; an entry without it is zero
//   bit 10  writable    the process may write, whatever the hardware's Rw says now
//   bit 11  shared      the frame is not the page's own
//   bit 52  device      and no memory at all: without P but while the process may reach it
//   P       the process may read, Xd: it may not execute
//
// Tables stay until the space is destroyed; entries above the leaves allow everything.
#include "arch/page_table.hpp"

#include <utility>

#include "arch/interrupts.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/table_walk.hpp"
#include "kernel/base/assert.hpp"

namespace arch {

using namespace x86;
using reprise::FrameNumber;
using reprise::PageNumber;
using E = TableEntry;

namespace {

constexpr std::uint64_t mapped = bit(9), writable = bit(10), shared = bit(11), device = bit(52);
constexpr std::uint64_t open_rights =
    E::P | E::Rw | static_cast<std::uint64_t>(CacheMode::Uncached);
constexpr std::uint64_t inner_rights = E::P | E::Rw | E::Us;
constexpr std::size_t user_slots = 256;  // of the root; the rest is the kernel's half

// Pages that one entry at `level` stands for.
constexpr std::uint64_t pages_of(unsigned level) { return 1ull << (9 * (level - 1)); }

constexpr std::uint64_t user_pages = user_slots * pages_of(4);

std::uint64_t* find_leaf(FrameNumber root, PageNumber page) {
  if (page.value() >= user_pages) return nullptr;
  std::uint64_t* const leaf = table_entry(root, address_of(page).value(), 1, nullptr, 0);
  return leaf == nullptr || *leaf == 0 ? nullptr : leaf;
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
  return address_of(m.frame).value() | mapped | E::Us | (m.permissions.read ? E::P : 0) |
         (m.permissions.write ? writable : 0) | (m.permissions.execute ? 0 : E::Xd) |
         (m.ownership != Ownership::Owned ? shared : 0) |
         (m.ownership == Ownership::Device ? device : 0) | (enabled ? E::Rw : 0);
}

Mapping decode(std::uint64_t entry) {
  return {.frame = frame_in(entry),
          .permissions = {.read = (entry & E::P) != 0,
                          .write = (entry & writable) != 0,
                          .execute = (entry & E::Xd) == 0},
          .ownership = (entry & device) != 0   ? Ownership::Device
                       : (entry & shared) != 0 ? Ownership::Shared
                                               : Ownership::Owned,
          .write_access = (entry & E::Rw) != 0 ? WriteAccess::Enabled : WriteAccess::Protected};
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
  admit_interrupts();  // they do not wait for the end of this
  const FrameWords entries = frame_words(table);
  for (const std::uint64_t entry : entries.first(level == 4 ? user_slots : entries.size())) {
    if (entry == 0) continue;
    if (level > 1) release_below(frame_in(entry), level - 1, frames);
    if (level > 1 || (entry & shared) == 0) frames.release(frame_in(entry));
  }
}

}  // namespace

PageTable::PageTable(FrameNumber root, reprise::FrameSource& frames)
    : root_{root}, frames_{&frames} {}

PageTable::PageTable(PageTable&& other) noexcept
    : root_{other.root_}, frames_{std::exchange(other.frames_, nullptr)} {}

PageTable::~PageTable() {
  if (frames_ == nullptr) return;
  release_below(root_, 4, *frames_);
  frames_->release(root_);
}

void PageTable::clear() {
  release_below(root_, 4, *frames_);
  for (std::uint64_t& entry : frame_words(root_).first(user_slots)) entry = 0;
  invalidate_user();
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
  REPRISE_ASSERT(page.value() < user_pages);
  auto* const leaf = table_entry(root_, address_of(page).value(), 1, frames_, inner_rights);
  if (leaf != nullptr) *leaf = encode(mapping);
  return leaf != nullptr;
}

std::optional<Leaf> PageTable::leaf(PageNumber page) const {
  std::uint64_t* const entry = find_leaf(root_, page);
  if (entry == nullptr) return std::nullopt;
  return Leaf{page, entry};
}

Mapping Leaf::mapping() const { return decode(*entry_); }

void Leaf::set(const Mapping& mapping) const { *entry_ = encode(mapping); }

void Leaf::replace(FrameNumber frame, WriteAccess write_access) const {
  *entry_ = encode({frame, mapping().permissions, Ownership::Owned, write_access});
}

bool Leaf::dirty() const { return (*entry_ & E::D) != 0; }

void Leaf::clear_dirty() const { *entry_ &= ~E::D; }

bool Leaf::accessed() const { return (*entry_ & E::A) != 0; }

std::optional<Mapping> PageTable::find(PageNumber page) const {
  const std::optional<Leaf> found = leaf(page);
  if (!found) return std::nullopt;
  return found->mapping();
}

std::optional<Mapping> PageTable::unmap(PageNumber page) {
  const std::optional<Mapping> mapping = find(page);
  if (mapping) existing_leaf(root_, page) = 0;
  return mapping;
}

std::optional<PageNumber> PageTable::next_mapped(PageNumber from, PageNumber end) const {
  return first_in(root_, 4, 0, from.value(), end.value() < user_pages ? end.value() : user_pages);
}

void PageTable::replace(PageNumber page, FrameNumber frame, WriteAccess write_access) {
  std::uint64_t& leaf = existing_leaf(root_, page);
  leaf = encode({frame, decode(leaf).permissions, Ownership::Owned, write_access});
}

bool PageTable::dirty(PageNumber page) const { return (existing_leaf(root_, page) & E::D) != 0; }

void PageTable::clear_dirty(PageNumber page) { existing_leaf(root_, page) &= ~E::D; }

bool PageTable::accessed(PageNumber page) const { return (existing_leaf(root_, page) & E::A) != 0; }

void PageTable::open_device(PageNumber page) { existing_leaf(root_, page) |= open_rights; }

void PageTable::close_device(PageNumber page) {
  existing_leaf(root_, page) &= ~(open_rights | E::A | E::D);
  invalidate(page);
}

void PageTable::activate() const { write_cr3(address_of(root_).value()); }

void PageTable::invalidate(PageNumber page) { invlpg(address_of(page).value()); }

void PageTable::invalidate_user() { write_cr3(read_cr3()); }

}  // namespace arch
