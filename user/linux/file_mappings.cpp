#include "user/linux/file_mappings.hpp"

#include "user/linux/heap.hpp"
#include "user/linux/memory.hpp"
#include "user/linux/native.hpp"
#include "user/linux/process.hpp"
#include "user/linux/runtime.hpp"

namespace personality {

namespace {

constexpr unsigned read_write = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE;

std::uint64_t least(std::uint64_t a, std::uint64_t b) { return a < b ? a : b; }
std::uint64_t most(std::uint64_t a, std::uint64_t b) { return a > b ? a : b; }

std::byte* page_at(std::uint64_t address) { return reinterpret_cast<std::byte*>(address); }

// The part of a region that a file of this size reaches.
std::uint64_t bytes_before(const Region& region, std::uint64_t size) {
  const std::uint64_t offset = region.start - region.origin, end = page_up(size);
  return end > offset ? least(region.end - region.start, end - offset) : 0;
}

Region part_of(const Region& region, std::uint64_t start, std::uint64_t end) {
  Region part = region;
  part.start = most(region.start, start);
  part.end = least(region.end, end);
  return part;
}

bool overlaps(const Region& a, const Region& b) {
  if (a.node != b.node) return false;
  const std::uint64_t a_start = a.start - a.origin, b_start = b.start - b.origin;
  return a_start < b_start + (b.end - b.start) && b_start < a_start + (a.end - a.start);
}

bool is_joined_at(const Region& region, std::uint64_t address) {
  const std::uint64_t index = (address - region.origin) / page_bytes;
  return region.node->content.joined_page(index) == page_at(address);
}

// Any other mapping loses the page. ENOMEM: nothing has changed.
Value join(const Region& region, std::uint64_t address) {
  Content& content = region.node->content;
  const std::uint64_t index = (address - region.origin) / page_bytes;
  std::byte* const old = content.joined_page(index);
  if (old == page_at(address)) return 0;
  native::protect(address, page_bytes, read_write);
  memset(page_at(address), 0, page_bytes);
  const bool joined = content.join(index, page_at(address));
  native::protect(address, page_bytes, joined ? region.protection : 0);
  if (joined && old != nullptr) {
    native::protect(reinterpret_cast<std::uint64_t>(old), page_bytes, 0);
  }
  return joined ? 0 : fail(Errno::NoMemory);
}

// These pages still hold what the file holds: joining them takes no memory.
void join_again(const Region& part, std::uint64_t bytes) {
  for (std::uint64_t at = 0; at < bytes; at += page_bytes) {
    static_cast<void>(join(part, part.start + at));
  }
}

// The pages of the part that lie before the file's end are the file's own again. ENOMEM: none are.
Value part_pages(const Region& part) {
  const std::uint64_t bytes = present_bytes(part);
  const std::uint64_t first = (part.start - part.origin) / page_bytes;
  for (std::uint64_t at = 0; at < bytes; at += page_bytes) {
    const bool here = is_joined_at(part, part.start + at);
    if (!here || part.node->content.part_from(first + at / page_bytes)) continue;
    join_again(part, at);
    return fail(Errno::NoMemory);
  }
  return 0;
}

// Calls `use` with each region, or part of one, that lies within [start, end).
template <typename Use>
Value for_each_part(std::uint64_t start, std::uint64_t end, Use use) {
  Value result = 0;
  for (std::uint64_t at = start; at < end && result == 0;) {
    const Region* region = regions().at_or_above(at);
    if (region == nullptr || region->start >= end) break;
    at = region->end;
    result = use(part_of(*region, start, end));
  }
  return result;
}

// Fresh pages from `start` on, filled from the file. A page that is joined elsewhere stays there.
Value add_pages(const Region& region, std::uint64_t start, std::uint64_t bytes, unsigned flags) {
  if (native::map(start, bytes, read_write, flags) < 0) return fail(Errno::NoMemory);
  Content& content = region.node->content;
  const std::uint64_t offset = start - region.origin;
  if (region.link != FileLink::Joined) {
    content.load(offset, page_at(start), bytes);
    if (region.protection != read_write) native::protect(start, bytes, region.protection);
    return 0;
  }
  for (std::uint64_t at = 0; at < bytes; at += page_bytes) {
    const std::uint64_t index = (offset + at) / page_bytes;
    if (content.joined_page(index) != nullptr) continue;
    if (content.join(index, page_at(start + at))) continue;
    static_cast<void>(part_pages(part_of(region, start, start + at)));
    native::unmap(start, bytes);
    return fail(Errno::NoMemory);
  }
  protect_file_pages(part_of(region, start, start + bytes), region.protection);
  return 0;
}

// Calls `use` with each region of the file.
template <typename Use>
void for_each_region_of(const Node& node, Use use) {
  for (std::size_t i = 0; i < regions().count(); ++i) {
    if (regions()[i].node == &node) use(regions()[i]);
  }
}

// Without memory a page behind the old end stays away: SIGBUS, as Linux has it, too.
void show_growth(const Node& node, std::uint64_t old_size) {
  for_each_region_of(node, [&](const Region& region) {
    const std::uint64_t before = bytes_before(region, old_size), now = present_bytes(region);
    if (now <= before) return;
    static_cast<void>(add_pages(region, region.start + before, now - before, 0));
  });
}

// The rest of the last page reads as zeros: Content has seen to it, but for copies.
void show_cut(const Node& node, std::uint64_t old_size) {
  const std::uint64_t size = node.content.size(), within = size % page_bytes;
  for_each_region_of(node, [&](const Region& region) {
    const std::uint64_t before = bytes_before(region, old_size), now = present_bytes(region);
    if (before > now) native::unmap(region.start + now, before - now);
    const std::uint64_t offset = region.start - region.origin;
    const bool shows_end =
        within != 0 && size > offset && size - offset < region.end - region.start;
    if (region.link != FileLink::Copy || !shows_end) return;
    std::byte* const end = page_at(region.origin + size);
    const PageAccess access(end - within, Access::Write);
    memset(end, 0, page_bytes - within);
  });
}

void show_bytes(const Node& node, std::uint64_t offset, std::uint64_t bytes) {
  for_each_region_of(node, [&](const Region& region) {
    if (region.link != FileLink::Copy) return;
    const std::uint64_t first = most(offset, region.start - region.origin);
    const std::uint64_t end = least(offset + bytes, region.end - region.origin);
    for (std::uint64_t at = first; at < end;) {
      const std::uint64_t length = least(end - at, page_bytes - at % page_bytes);
      std::byte* const to = page_at(region.origin + at);
      const PageAccess access(to - at % page_bytes, Access::Write);
      node.content.load(at, to, length);
      at += length;
    }
  });
}

}  // namespace

// Pages of the heap, of the archive and holes need nothing.
PageAccess::PageAccess(const std::byte* page, Access access) {
  if (page == nullptr || heap().owns(page)) return;
  const std::uint64_t address = page_down(reinterpret_cast<std::uint64_t>(page));
  const Region* region = regions().at_or_above(address);
  if (region == nullptr || region->start > address || region->link == FileLink::None) return;
  const unsigned needed = access == Access::Read ? REPRISE_PROTECT_READ : read_write;
  if ((region->protection & needed) == needed) return;
  opened_ = address;
  protection_ = region->protection;
  native::protect(opened_, page_bytes, read_write);
}

PageAccess::~PageAccess() {
  if (opened_ != 0) native::protect(opened_, page_bytes, protection_);
}

std::uint64_t present_bytes(const Region& region) {
  return bytes_before(region, region.node->content.size());
}

void protect_file_pages(const Region& part, unsigned protection) {
  const std::uint64_t bytes = present_bytes(part);
  const bool only_mapping = part.node->mapped_pages * page_bytes <= part.end - part.start;
  if (part.link != FileLink::Joined || only_mapping) {
    if (bytes != 0) native::protect(part.start, bytes, protection);
    return;
  }
  for (std::uint64_t at = part.start; at < part.start + bytes; at += page_bytes) {
    native::protect(at, page_bytes, is_joined_at(part, at) ? protection : 0);
  }
}

// A file that is written by one mapping has no copies: they could not be renewed.
void join_copies(Region& region) {
  bool joined = region.link == FileLink::Joined;
  for_each_region_of(*region.node, [&](const Region& other) {
    joined = joined || (other.link == FileLink::Joined && overlaps(region, other));
  });
  if (!joined) return;
  if (region.link == FileLink::Copy) region.link = FileLink::Joined;
  for (std::size_t i = 0; i < regions().count(); ++i) {
    Region other = regions()[i];
    if (other.node != region.node || other.link != FileLink::Copy) continue;
    other.link = FileLink::Joined;
    static_cast<void>(regions().insert(other));  // in its own place
    if (present_bytes(other) != 0) native::protect(other.start, present_bytes(other), 0);
    i = 0;  // regions may have been merged
  }
}

Value fill_region(Region& region, bool replaces) {
  join_copies(region);
  const std::uint64_t present = present_bytes(region);
  const std::uint64_t absent = region.end - region.start - present;
  tree().hold_mapped(*region.node, (region.end - region.start) / page_bytes);
  if (present != 0) {
    const unsigned flags = replaces ? REPRISE_MAP_REPLACE : 0;
    const Value result = add_pages(region, region.start, present, flags);
    if (result < 0) {
      tree().let_go_mapped(*region.node, (region.end - region.start) / page_bytes);
      return result;
    }
  }
  if (replaces && absent != 0) native::unmap(region.start + present, absent);
  return 0;
}

bool bring_page(std::uint64_t address) {
  const std::uint64_t page = page_down(address);
  const Region* region = regions().at_or_above(page);
  if (region == nullptr || region->start > page || region->link != FileLink::Joined) return false;
  if (region->protection == 0 || page - region->start >= present_bytes(*region)) return false;
  return !is_joined_at(*region, page) && join(*region, page) == 0;
}

bool bring_pages(UserAddress start, std::uint64_t bytes) {
  bool brought = false;
  const std::uint64_t end = start.value() + bytes;
  for (std::uint64_t at = start.value(); at < end && end >= bytes;) {
    const Region* region = regions().at_or_above(at);
    if (region == nullptr || region->start >= end) break;
    if (region->link == FileLink::Joined) brought = bring_page(most(at, region->start)) || brought;
    const bool joined = region->link == FileLink::Joined;
    at = joined ? page_down(most(at, region->start)) + page_bytes : region->end;
  }
  return brought;
}

Value unlink_pages(std::uint64_t start, std::uint64_t end) {
  if (!regions().has_room()) return fail(Errno::NoMemory);
  std::uint64_t parted = start;
  const Value result = for_each_part(start, end, [&](const Region& part) -> Value {
    const Value done = part.link == FileLink::Joined ? part_pages(part) : 0;
    if (done == 0) parted = part.end;
    return done;
  });
  if (result < 0) {
    static_cast<void>(for_each_part(start, parted, [](const Region& part) -> Value {
      if (part.link == FileLink::Joined) join_again(part, present_bytes(part));
      return 0;
    }));
    return result;
  }
  return for_each_part(start, end, [](const Region& part) -> Value {
    if (part.link == FileLink::None) return 0;
    // Until the caller removes it, it is a region of plain pages.
    static_cast<void>(regions().insert({part.start, part.end, part.protection, true}));
    tree().let_go_mapped(*part.node, (part.end - part.start) / page_bytes);
    return 0;
  });
}

Value reload(const Region& region, std::uint64_t start, std::uint64_t end) {
  const Region part = part_of(region, start, end);
  const std::uint64_t present = present_bytes(part);
  if (present == 0) return 0;
  return add_pages(part, part.start, present, REPRISE_MAP_REPLACE | REPRISE_MAP_SPARSE);
}

Value write_node(Node& node, std::uint64_t offset, UserAddress from, std::uint64_t bytes) {
  const std::uint64_t old_size = node.content.size();
  const Value result = node.content.write(offset, from, bytes);
  if (result <= 0) return result;
  node.touched = true;
  if (node.mapped_pages == 0) return result;
  if (node.content.size() > old_size) show_growth(node, old_size);
  show_bytes(node, offset, static_cast<std::uint64_t>(result));
  return result;
}

Value resize_node(Node& node, std::uint64_t size) {
  const std::uint64_t old_size = node.content.size();
  const Value result = node.content.resize(size);
  if (result < 0) return result;
  node.touched = true;
  if (node.mapped_pages == 0) return 0;
  if (size > old_size) show_growth(node, old_size);
  if (size < old_size) show_cut(node, old_size);
  return 0;
}

}  // namespace personality
