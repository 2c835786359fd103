// The page tables of arch/page_table.hpp, over any entry format. Included where a format is
// instantiated: page_table.cpp for programs, host tests for the others.
//
// Tables stay until the space is cleared, so a page's entry stays where it is.
#pragma once

#include <utility>

#include "arch/frame_memory.hpp"
#include "arch/interrupts.hpp"
#include "arch/page_table.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/table_format.hpp"
#include "arch/x86_64/table_walk.hpp"
#include "kernel/base/assert.hpp"

namespace arch {

namespace x86 {

// Pages that one entry at `level` stands for.
[[nodiscard]] constexpr std::uint64_t pages_of(unsigned level) { return 1ull << (9 * (level - 1)); }

template <class Format>
inline constexpr std::uint64_t page_count = Format::root_slots* pages_of(4);

// nullptr: the page does not exist.
template <class Format>
[[nodiscard]] std::uint64_t* find_entry(reprise::FrameNumber root, reprise::PageNumber page) {
  if (page.value() >= page_count<Format>) return nullptr;
  std::uint64_t* const entry = table_entry(root, address_of(page).value(), 1, nullptr, 0);
  return entry == nullptr || holds_no_entry(*entry) ? nullptr : entry;
}

struct FoundEntry {
  reprise::PageNumber page;
  std::uint64_t* entry;
};

// The first mapped page in [from, end) below `table`, whose first page is `base`.
[[nodiscard]] inline std::optional<FoundEntry> first_in(reprise::FrameNumber table, unsigned level,
                                                        std::uint64_t base, std::uint64_t from,
                                                        std::uint64_t end) {
  const std::uint64_t step = pages_of(level);
  const FrameWords entries = frame_words(table);
  for (std::uint64_t i = from > base ? (from - base) / step : 0; i < entries.size(); ++i) {
    const std::uint64_t start = base + i * step;
    if (start >= end) break;
    if (holds_no_entry(entries[i])) continue;
    if (level == 1) return FoundEntry{.page = reprise::PageNumber{start}, .entry = &entries[i]};
    const auto found = first_in(frame_in(entries[i]), level - 1, start, from, end);
    if (found) return found;
  }
  return std::nullopt;
}

template <class Format>
std::uint64_t take_accessed_below(std::uint64_t above, unsigned level,
                                  void (*use)(reprise::FrameNumber));

// The CPU marks each entry that it translates by, on all levels, so tables without a mark are
// passed over (Intel SDM Vol. 3A §4.8, for guests Vol. 3C §29.3.5).
template <class Format>
std::uint64_t take_accessed_in(std::span<std::uint64_t> entries, unsigned level,
                               void (*use)(reprise::FrameNumber)) {
  constexpr std::size_t together = 8;
  std::uint64_t taken = 0;
  for (std::size_t first = 0; first < entries.size(); first += together) {
    std::uint64_t any = 0;
#pragma GCC unroll 8
    for (std::size_t i = 0; i < together; ++i) any |= entries[first + i];
    if ((any & Format::accessed) == 0) continue;
    for (std::uint64_t& entry : entries.subspan(first, together)) {
      if ((entry & Format::accessed) == 0) continue;
      entry &= ~Format::accessed;
      if (level > 1) {
        taken += take_accessed_below<Format>(entry, level - 1, use);
      } else {
        use(frame_in(entry));
        ++taken;
      }
    }
  }
  return taken;
}

// The same of the table behind the entry `above`, where that says that it holds entries.
template <class Format>
std::uint64_t take_accessed_below(std::uint64_t above, unsigned level,
                                  void (*use)(reprise::FrameNumber)) {
  std::uint64_t taken = 0;
  const FrameWords entries = frame_words(frame_in(above));
  for (std::size_t first = 0; first < entries.size(); first += entries_in_eighth) {
    if ((above & eighth_of(first)) == 0) continue;
    taken += take_accessed_in<Format>(entries.subspan(first, entries_in_eighth), level, use);
  }
  return taken;
}

template <class Format>
void release_below(reprise::FrameNumber table, unsigned level, reprise::FrameSource& frames) {
  admit_interrupts();  // they do not wait for the end of this
  const FrameWords entries = frame_words(table);
  for (const std::uint64_t entry : entries.first(level == 4 ? Format::root_slots : 512)) {
    if (holds_no_entry(entry)) continue;
    if (level > 1) release_below<Format>(frame_in(entry), level - 1, frames);
    if (level > 1 || (entry & Format::shared) == 0) frames.release(frame_in(entry));
  }
}

// What is shared is never written. What the process may not write, the hardware never allows.
inline void require_consistent(const Mapping& m) {
  const bool may = m.permissions.read && m.permissions.write && m.ownership == Ownership::Owned;
  REPRISE_ASSERT(may || m.write_access == WriteAccess::Protected);
}

}  // namespace x86

template <class Format>
Mapping BasicLeaf<Format>::mapping() const {
  const std::uint64_t entry = *entry_;
  const bool enabled = Format::is_write_enabled(entry);
  return {.frame = x86::frame_in(entry),
          .permissions = Format::permissions(entry),
          .ownership = x86::ownership_in<Format>(entry),
          .write_access = enabled ? WriteAccess::Enabled : WriteAccess::Protected};
}

template <class Format>
reprise::FrameNumber BasicLeaf<Format>::frame() const {
  return x86::frame_in(*entry_);
}

template <class Format>
Ownership BasicLeaf<Format>::ownership() const {
  return x86::ownership_in<Format>(*entry_);
}

template <class Format>
bool BasicLeaf<Format>::may_write() const {
  return (*entry_ & Format::writable) != 0;
}

template <class Format>
void BasicLeaf<Format>::set(const Mapping& mapping) const {
  x86::require_consistent(mapping);
  *entry_ = Format::encode(mapping);
}

template <class Format>
Mapping BasicLeaf<Format>::unmap() const {
  const Mapping was = mapping();
  *entry_ = 0;
  return was;
}

template <class Format>
void BasicLeaf<Format>::replace(reprise::FrameNumber frame, WriteAccess write_access) const {
  const std::uint64_t entry = (*entry_ & Format::rights) | address_of(frame).value();
  if (write_access == WriteAccess::Protected) {
    *entry_ = entry;
    return;
  }
  const Permissions permissions = Format::permissions(entry);
  REPRISE_ASSERT(permissions.read && permissions.write);
  *entry_ = entry | Format::write_enabled;
}

template <class Format>
bool BasicLeaf<Format>::dirty() const {
  return (*entry_ & Format::dirty) != 0;
}

template <class Format>
void BasicLeaf<Format>::clear_dirty() const {
  *entry_ &= ~Format::dirty;
}

template <class Format>
bool BasicLeaf<Format>::accessed() const {
  return (*entry_ & Format::accessed) != 0;
}

template <class Format>
void BasicLeaf<Format>::open_device() const {
  *entry_ |= Format::open_rights;
}

template <class Format>
void BasicLeaf<Format>::close_device() const {
  *entry_ &= ~(Format::open_rights | Format::accessed | Format::dirty);
  Format::invalidate(page_);
}

template <class Format>
BasicPageTable<Format>::BasicPageTable(reprise::FrameNumber root, reprise::FrameSource& frames)
    : root_{root}, frames_{&frames} {}

template <class Format>
BasicPageTable<Format>::BasicPageTable(BasicPageTable&& other) noexcept
    : root_{other.root_}, frames_{std::exchange(other.frames_, nullptr)} {}

template <class Format>
BasicPageTable<Format>::~BasicPageTable() {
  if (frames_ == nullptr) return;
  x86::release_below<Format>(root_, 4, *frames_);
  frames_->release(root_);
}

template <class Format>
std::optional<BasicPageTable<Format>> BasicPageTable<Format>::create(reprise::FrameSource& frames) {
  std::optional<BasicPageTable> table = create_nested(frames);
  if (!table || !Format::has_kernel_half) return table;
  const FrameWords entries = frame_words(table->root_), kernel = frame_words(x86::kernel_root());
  for (std::size_t i = Format::root_slots; i < entries.size(); ++i) entries[i] = kernel[i];
  return table;
}

template <class Format>
std::optional<BasicPageTable<Format>> BasicPageTable<Format>::create_nested(
    reprise::FrameSource& frames) {
  const std::optional<reprise::FrameNumber> root = frames.allocate();
  if (!root) return std::nullopt;
  clear_frame(*root);
  return BasicPageTable{*root, frames};
}

template <class Format>
void BasicPageTable<Format>::clear() {
  x86::release_below<Format>(root_, 4, *frames_);
  for (std::uint64_t& entry : frame_words(root_).first(Format::root_slots)) entry = 0;
  Format::invalidate_all();
}

template <class Format>
std::uint64_t* BasicPageTable<Format>::made_entry(reprise::PageNumber page) {
  REPRISE_ASSERT(page.value() < x86::page_count<Format>);
  return x86::table_entry(root_, address_of(page).value(), 1, frames_, Format::inner_rights);
}

template <class Format>
bool BasicPageTable<Format>::make_tables(reprise::PageNumber from, reprise::PageNumber end) {
  constexpr std::uint64_t step = x86::pages_of(2);
  for (std::uint64_t page = from.value() / step * step; page < end.value(); page += step) {
    admit_interrupts();  // they do not wait for the end of this
    if (made_entry(reprise::PageNumber{page}) == nullptr) return false;
  }
  return true;
}

template <class Format>
bool BasicPageTable<Format>::map(reprise::PageNumber page, const Mapping& mapping) {
  x86::require_consistent(mapping);
  std::uint64_t* const entry = made_entry(page);
  if (entry == nullptr) return false;
  *entry = Format::encode(mapping);
  return true;
}

template <class Format>
std::optional<BasicLeaf<Format>> BasicPageTable<Format>::leaf(reprise::PageNumber page) const {
  std::uint64_t* const entry = x86::find_entry<Format>(root_, page);
  if (entry == nullptr) return std::nullopt;
  return BasicLeaf<Format>{page, entry};
}

template <class Format>
std::optional<Mapping> BasicPageTable<Format>::find(reprise::PageNumber page) const {
  const std::optional<BasicLeaf<Format>> found = leaf(page);
  if (!found) return std::nullopt;
  return found->mapping();
}

template <class Format>
std::optional<BasicLeaf<Format>> BasicPageTable<Format>::next_leaf(reprise::PageNumber from,
                                                                   reprise::PageNumber end) const {
  constexpr std::uint64_t most = x86::page_count<Format>;
  const std::uint64_t bound = end.value() < most ? end.value() : most;
  const auto found = x86::first_in(root_, 4, 0, from.value(), bound);
  if (!found) return std::nullopt;
  return BasicLeaf<Format>{found->page, found->entry};
}

template <class Format>
std::uint64_t BasicPageTable<Format>::take_accessed(void (*use)(reprise::FrameNumber)) const {
  return x86::take_accessed_in<Format>(frame_words(root_).first(Format::root_slots), 4, use);
}

template <class Format>
void BasicPageTable<Format>::activate() const {
  Format::activate(root_);
}

template <class Format>
void BasicPageTable<Format>::invalidate(reprise::PageNumber page) {
  Format::invalidate(page);
}

template <class Format>
void BasicPageTable<Format>::invalidate_user() {
  Format::invalidate_all();
}

}  // namespace arch
