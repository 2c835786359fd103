// brk, mmap, munmap, mprotect. Every change is made in the kernel first and then written to the
// table of regions. A region with PROT_NONE costs no memory: the table reserves it, and mprotect
// gives it pages later.
#include "user/linux/memory.hpp"

#include "user/linux/calls.hpp"
#include "user/linux/descriptors.hpp"
#include "user/linux/file_mappings.hpp"
#include "user/linux/heap.hpp"
#include "user/linux/limits.hpp"
#include "user/linux/process.hpp"

extern "C" const char image_begin[], image_end[];

namespace personality {

namespace {

constinit Regions the_regions{};
constinit std::uint64_t break_start = 0, break_now = 0;

constexpr std::uint64_t map_private = 2, map_type = 15, map_fixed = 0x10, map_anonymous = 0x20,
                        map_no_reserve = 0x4000, map_fixed_noreplace = 0x100000;
// With MAP_SHARED_VALIDATE others are errors.
constexpr std::uint64_t map_validated = 3, known_flags = 0x17ff3f;
constexpr std::uint64_t address_limit = 0x00007ffffffff000;
constexpr unsigned read_write = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE;

bool overlaps(std::uint64_t start, std::uint64_t end, std::uint64_t low, std::uint64_t high) {
  return start < high && end > low;
}

Value map_error(native::Result result) {
  return fail(result == -REPRISE_OCCUPIED ? Errno::Exists : Errno::NoMemory);
}

struct Request {
  std::uint64_t address, bytes, protection, flags, offset;
  OpenFile* file;  // nullptr: anonymous

  [[nodiscard]] bool shared() const { return (flags & map_type) != map_private; }
  [[nodiscard]] bool fixed() const { return (flags & (map_fixed | map_fixed_noreplace)) != 0; }
  [[nodiscard]] bool replaces() const { return (flags & map_fixed) != 0 && !keeps(); }
  [[nodiscard]] bool keeps() const { return (flags & map_fixed_noreplace) != 0; }
};

Region region_of(const Request& request, std::uint64_t start) {
  Region region{start, start + request.bytes, native_protection(request.protection),
                request.file != nullptr || (request.protection & 7) != 0};
  if (request.file == nullptr) return region;
  region.link = FileLink::Private;
  if (request.shared()) region.link = request.file->may_write() ? FileLink::Joined : FileLink::Copy;
  region.may_write = !request.shared() || request.file->may_write();
  region.node = request.file->node;
  region.origin = start - request.offset;
  return region;
}

// Gives the region its pages, in place of those that are there.
Value back(const Request& request, Region& region) {
  if (region.node != nullptr) return fill_region(region, request.replaces());
  if (!region.backed) {
    if (request.replaces()) native::unmap(region.start, request.bytes);
    return 0;
  }
  const unsigned flags = (request.replaces() ? REPRISE_MAP_REPLACE : 0) |
                         ((request.flags & map_no_reserve) != 0 ? REPRISE_MAP_SPARSE : 0);
  const auto result = native::map(region.start, request.bytes, region.protection, flags);
  return result < 0 ? map_error(result) : 0;
}

Value place(const Request& request, std::uint64_t start) {
  Region region = region_of(request, start);
  if (!the_regions.has_room()) return fail(Errno::NoMemory);
  if (is_over_limit(request.bytes)) return fail(Errno::NoMemory);
  if (request.replaces()) {
    if (const Value result = unlink_pages(region.start, region.end); result < 0) return result;
  }
  if (const Value result = back(request, region); result < 0) return result;
  if (!the_regions.insert(region)) return fail(Errno::NoMemory);
  return static_cast<Value>(start);
}

Value map(const Request& request) {
  const std::uint64_t end = request.address + request.bytes;
  if (request.fixed()) {
    if (request.address % page_bytes != 0) return fail(Errno::Invalid);
    if (!may_map(request.address, request.bytes)) return fail(Errno::NoMemory);
    if (request.keeps() && !the_regions.is_free(request.address, end)) return fail(Errno::Exists);
    return place(request, request.address);
  }
  const std::uint64_t hint = page_down(request.address);
  const bool hint_is_usable = hint != 0 && may_map(hint, request.bytes);
  if (hint_is_usable && the_regions.is_free(hint, hint + request.bytes)) {
    // The table does not list the image and the stack. There the kernel answers OCCUPIED.
    if (const Value result = place(request, hint); result >= 0) return result;
  }
  const std::uint64_t start = find_place(request.bytes);
  return start == 0 ? fail(Errno::NoMemory) : place(request, start);
}

Value find_file(const Call& call, const Request& request, OpenFile*& file) {
  file = descriptor(call.integer(4));
  if (file == nullptr) return fail(Errno::BadFile);
  if (file->kind == OpenKind::Zero) {
    file = nullptr;
    return 0;
  }
  if (file->kind != OpenKind::File) return fail(Errno::NoDevice);
  if (file->node->generated != Generated::None) return fail(Errno::NoDevice);
  if (!file->may_read()) return fail(Errno::Access);
  const bool writes = request.shared() && (request.protection & 2) != 0;
  return writes && !file->may_write() ? fail(Errno::Access) : 0;
}

// Sets the protection of [start, end), which lies in `region`, or outside of all when it is
// nullptr.
Value protect_part(const Region* region, std::uint64_t start, std::uint64_t end,
                   unsigned protection) {
  if (region == nullptr) {
    return native::protect(start, end - start, protection) < 0 ? fail(Errno::NoMemory) : 0;
  }
  Region changed = *region;
  changed.start = start;
  changed.end = end;
  changed.protection = protection;
  if (!region->may_write && (protection & REPRISE_PROTECT_WRITE) != 0) {
    return fail(Errno::Access);  // the file is not open for writing
  }
  if (region->node != nullptr) {
    protect_file_pages(changed, protection);
  } else if (region->backed) {
    if (native::protect(start, end - start, protection) < 0) return fail(Errno::NoMemory);
  } else if (protection != 0) {
    if (native::map(start, end - start, protection) < 0) return fail(Errno::NoMemory);
    changed.backed = true;
  }
  return the_regions.insert(changed) ? 0 : fail(Errno::NoMemory);
}

}  // namespace

Regions& regions() { return the_regions; }

bool is_break(const Region& region) {
  return region.start >= break_start && region.end <= page_up(break_now);
}

void initialise_memory() {
  const reprise_start& start = process().start;
  the_regions.clear();
  break_start = page_up(start.program_break);
  break_now = break_start;
  // The upper quarter of the free area is the personality's own.
  const std::uint64_t quarter = page_down((start.map_high - start.map_low) / 4);
  heap().initialise(page_down(start.map_high) - quarter, page_down(start.map_high));
}

bool may_map(std::uint64_t start, std::uint64_t bytes) {
  if (start < page_bytes || bytes > address_limit) return false;
  if (start > address_limit - bytes) return false;
  const std::uint64_t end = start + bytes;
  const reprise_start& given = process().start;
  const auto image = reinterpret_cast<std::uint64_t>(image_begin);
  const auto image_limit = reinterpret_cast<std::uint64_t>(image_end);
  const std::uint64_t archive_end = page_up(given.archive_address + given.archive_bytes);
  const std::uint64_t file_end = page_up(given.file_address + given.file_bytes);
  return !overlaps(start, end, given.file_address, file_end) &&
         !overlaps(start, end, image, image_limit) &&
         !overlaps(start, end, heap().low(), heap().high()) &&
         !(given.archive_address != 0 && overlaps(start, end, given.archive_address, archive_end));
}

std::uint64_t find_place(std::uint64_t bytes) {
  constexpr std::uint64_t large = 1 << 20;
  if (bytes > address_limit / 4) return 0;
  return the_regions.find_gap(page_up(process().start.map_low), heap().low(), bytes,
                              bytes >= large ? bytes : 0);
}

Value call_brk(Call& call) {
  const std::uint64_t wanted = call.argument[0];
  const std::uint64_t old_end = page_up(break_now);
  const std::uint64_t new_end = page_up(wanted);
  if (wanted < break_start || wanted > address_limit) return static_cast<Value>(break_now);
  if (new_end > old_end) {
    const bool possible = !is_over_limit(new_end - old_end) &&
                          may_map(old_end, new_end - old_end) &&
                          the_regions.is_free(old_end, new_end) &&
                          native::map(old_end, new_end - old_end, read_write) >= 0;
    if (!possible || !the_regions.insert({old_end, new_end, read_write, true})) {
      return static_cast<Value>(break_now);
    }
  } else if (new_end < old_end) {
    if (unlink_pages(new_end, old_end) < 0) return static_cast<Value>(break_now);
    if (!the_regions.carve(new_end, old_end)) return static_cast<Value>(break_now);
    native::unmap(new_end, old_end - new_end);
  }
  break_now = wanted;
  return static_cast<Value>(break_now);
}

Value call_mmap(Call& call) {
  Request request{.address = call.argument[0],
                  .bytes = page_up(call.argument[1]),
                  .protection = call.argument[2],
                  .flags = call.argument[3],
                  .offset = call.argument[5],
                  .file = nullptr};
  const std::uint64_t type = request.flags & map_type;
  if (call.argument[1] == 0 || type == 0 || type > 3) return fail(Errno::Invalid);
  if (request.offset % page_bytes != 0) return fail(Errno::Invalid);
  if (request.bytes < call.argument[1]) return fail(Errno::NoMemory);
  if (writes_and_executes(request.protection)) return fail(Errno::Access);
  if ((request.flags & map_anonymous) == 0) {
    if (const Value result = find_file(call, request, request.file); result < 0) return result;
  }
  if (type == map_validated && (request.flags & ~known_flags) != 0) {
    return fail(Errno::NotSupported);  // MAP_SYNC
  }
  return map(request);
}

Value call_munmap(Call& call) {
  const std::uint64_t start = call.argument[0], bytes = page_up(call.argument[1]);
  if (start % page_bytes != 0 || call.argument[1] == 0) return fail(Errno::Invalid);
  if (bytes < call.argument[1] || !may_map(start, bytes)) return fail(Errno::Invalid);
  if (const Value result = unlink_pages(start, start + bytes); result < 0) return result;
  if (!the_regions.carve(start, start + bytes)) return fail(Errno::NoMemory);
  return native::unmap(start, bytes) < 0 ? fail(Errno::Invalid) : 0;
}

Value call_mprotect(Call& call) {
  const std::uint64_t start = call.argument[0], bytes = page_up(call.argument[1]);
  if (start % page_bytes != 0) return fail(Errno::Invalid);
  if (bytes < call.argument[1] || !may_map(start, bytes)) return fail(Errno::NoMemory);
  if (writes_and_executes(call.argument[2])) return fail(Errno::Access);
  const unsigned protection = native_protection(call.argument[2]);
  const std::uint64_t end = start + bytes;
  for (std::uint64_t at = start; at < end;) {
    const Region* region = the_regions.at_or_above(at);
    const bool inside = region != nullptr && region->start <= at;
    std::uint64_t part_end = end;
    if (inside && region->end < end) part_end = region->end;
    if (!inside && region != nullptr && region->start < end) part_end = region->start;
    const Value result = protect_part(inside ? region : nullptr, at, part_end, protection);
    if (result < 0) return result;
    at = part_end;
  }
  return 0;
}

}  // namespace personality
