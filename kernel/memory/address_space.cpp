#include "kernel/memory/address_space.hpp"

#include "arch/direct_map.hpp"
#include "arch/frame_memory.hpp"
#include "arch/interrupts.hpp"
#include "arch/page_table.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/base/memory_map.hpp"

namespace reprise {
namespace {

using arch::Ownership;

constexpr std::uint64_t pages_between_interrupts = 128;

}  // namespace

void let_interrupts_in(PageNumber page) {
  if (page.value() % pages_between_interrupts == 0) arch::admit_interrupts();
}

std::optional<AddressSpace> AddressSpace::create(FrameSource& frames, FrameNumber zero) {
  std::optional<arch::PageTable> table = arch::PageTable::create(frames);
  if (!table) return std::nullopt;
  return AddressSpace{std::move(*table), frames, zero, Kind::Program};
}

std::optional<AddressSpace> AddressSpace::create_nested(FrameSource& frames, FrameNumber zero) {
  std::optional<arch::PageTable> table = arch::PageTable::create_nested(frames);
  if (!table) return std::nullopt;
  return AddressSpace{std::move(*table), frames, zero, Kind::Guest};
}

Outcome AddressSpace::map_zero(PageRange range, arch::Permissions permissions) {
  return map_shared(range, {zero_, permissions, Ownership::Shared}, 0);
}

Outcome AddressSpace::map_frames(PageRange range, FrameNumber first, arch::Permissions permissions,
                                 Ownership ownership) {
  return map_shared(range, {first, permissions, ownership}, 1);
}

Outcome AddressSpace::make_tables(PageRange range) {
  if (!table_.make_tables(range.first(), range.end())) return Failure{REPRISE_NO_MEMORY};
  return Done{};
}

// `step` is 1 for frames that follow each other, 0 for one frame behind all pages.
Outcome AddressSpace::map_shared(PageRange range, arch::Mapping mapping, std::uint64_t step) {
  if (table_.next_leaf(range.first(), range.end())) return Failure{REPRISE_OCCUPIED};
  const Outcome made = make_tables(range);
  if (!made) return made;
  for (PageNumber page = range.first(); page < range.end(); page = page + 1) {
    let_interrupts_in(page);
    REPRISE_ASSERT(table_.map(page, mapping));  // its table is there
    mapping.frame = mapping.frame + step;
  }
  return Done{};
}

void AddressSpace::unmap(arch::Leaf page) {
  const arch::Mapping was = page.unmap();
  if (was.ownership == Ownership::Owned) frames_->release(was.frame);
  arch::PageTable::invalidate(page.page());
}

bool AddressSpace::protectable(PageRange range) const {
  for (PageNumber page = range.first(); page < range.end(); page = page + 1) {
    let_interrupts_in(page);
    const std::optional<arch::Mapping> mapping = table_.find(page);
    if (!mapping || mapping->ownership == Ownership::Device) return false;
  }
  return true;
}

void AddressSpace::protect(arch::Leaf page, arch::Permissions permissions) {
  arch::Mapping mapping = page.mapping();
  mapping.permissions = permissions;
  mapping.write_access = arch::WriteAccess::Protected;
  page.set(mapping);
  arch::PageTable::invalidate(page.page());
}

Outcome AddressSpace::own(PageNumber page, arch::WriteAccess write_access) {
  const std::optional<arch::Leaf> leaf = table_.leaf(page);
  if (!leaf) return Failure{REPRISE_BAD_ADDRESS};
  arch::Mapping mapping = leaf->mapping();
  if (mapping.ownership == Ownership::Shared) {
    const std::optional<FrameNumber> frame = frames_->allocate();
    if (!frame) return Failure{REPRISE_NO_MEMORY};
    arch::copy_frame_at_fault(*frame, mapping.frame);
    mapping.frame = *frame;
    mapping.ownership = arch::Ownership::Owned;
  }
  mapping.write_access = write_access;
  leaf->set(mapping);
  arch::PageTable::invalidate(page);
  return Done{};
}

bool AddressSpace::permits(UserAddr start, std::size_t bytes,
                           bool arch::Permissions::*right) const {
  if (bytes == 0) return true;
  const bool in_range =
      kind_ == Kind::Guest ? is_guest_memory(start, bytes) : is_in_user_half(start, bytes);
  if (!in_range) return false;
  const PageNumber last = page_of(start + (bytes - 1));
  for (PageNumber page = page_of(start); page <= last; page = page + 1) {
    const std::optional<arch::Mapping> mapping = table_.find(page);
    if (!mapping || !(mapping->permissions.*right)) return false;
  }
  return true;
}

bool AddressSpace::is_device(UserAddr address) const {
  if (address.value() >= user_high) return false;
  const std::optional<arch::Mapping> mapping = table_.find(page_of(address));
  return mapping && mapping->ownership == Ownership::Device;
}

std::size_t AddressSpace::read_start(UserAddr from, std::span<std::byte> to) const {
  std::size_t bytes = to.size();
  while (bytes != 0 && !read(from, to.first(bytes))) --bytes;
  return bytes;
}

std::span<const std::byte> AddressSpace::bytes_at(UserAddr at, std::size_t most) const {
  const std::size_t offset = at.value() % page_size;
  const std::span words{arch::frame_words(table_.find(page_of(at))->frame)};
  return std::as_bytes(words).subspan(offset, smaller(most, page_size - offset));
}

std::span<std::byte> AddressSpace::writable_bytes_at(UserAddr at, std::size_t most) {
  const std::size_t offset = at.value() % page_size;
  const std::span words{arch::frame_words(table_.find(page_of(at))->frame)};
  return std::as_writable_bytes(words).subspan(offset, smaller(most, page_size - offset));
}

Outcome AddressSpace::read(UserAddr from, std::span<std::byte> to) const {
  if (!readable(from, to.size())) return Failure{REPRISE_BAD_ADDRESS};
  for (std::size_t done = 0; done < to.size();) {
    const auto piece = bytes_at(from + done, to.size() - done);
    __builtin_memcpy(to.data() + done, piece.data(), piece.size());
    done += piece.size();
  }
  return Done{};
}

Outcome AddressSpace::prepare(UserAddr to, std::size_t bytes) {
  if (!writable(to, bytes)) return Failure{REPRISE_BAD_ADDRESS};
  if (bytes == 0) return Done{};
  const PageNumber last = page_of(to + (bytes - 1));
  for (PageNumber page = page_of(to); page <= last; page = page + 1) {
    const Outcome owned = own(page, arch::WriteAccess::Protected);
    if (!owned) return owned;
  }
  return Done{};
}

Outcome AddressSpace::write(UserAddr to, std::span<const std::byte> from) {
  if (!writable(to, from.size())) return Failure{REPRISE_BAD_ADDRESS};
  return load(to, from);
}

Outcome AddressSpace::load(UserAddr to, std::span<const std::byte> from) {
  for (std::size_t done = 0; done < from.size();) {
    const Outcome owned = own(page_of(to + done), arch::WriteAccess::Protected);
    if (!owned) return owned;
    const auto piece = writable_bytes_at(to + done, from.size() - done);
    __builtin_memcpy(piece.data(), from.data() + done, piece.size());
    done += piece.size();
  }
  return Done{};
}

}  // namespace reprise
