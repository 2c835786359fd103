// mremap and madvise. The native ABI cannot move pages, so a mapping that cannot grow in place is
// copied. This is rare, because find_place() leaves room behind large mappings.
#include "user/linux/calls.hpp"
#include "user/linux/file_mappings.hpp"
#include "user/linux/limits.hpp"
#include "user/linux/log.hpp"
#include "user/linux/memory.hpp"
#include "user/linux/process.hpp"

namespace personality {

namespace {

constexpr std::uint64_t may_move = 1, to_fixed = 2;
constexpr unsigned read_write = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE;

struct Move {
  std::uint64_t from, old_bytes, to, new_bytes;
  unsigned protection;
};

bool grow_in_place(const Move& move) {
  const std::uint64_t end = move.from + move.old_bytes, grown = move.from + move.new_bytes;
  return may_map(end, grown - end) && regions().is_free(end, grown) &&
         native::map(end, grown - end, move.protection) >= 0 &&
         regions().insert({end, grown, move.protection, true});
}

Value copy_to(const Move& move, unsigned flags) {
  if (const Value result = unlink_pages(move.to, move.to + move.new_bytes); result < 0) {
    return result;
  }
  if (native::map(move.to, move.new_bytes, read_write, flags) < 0) return fail(Errno::NoMemory);
  const std::uint64_t bytes = move.old_bytes < move.new_bytes ? move.old_bytes : move.new_bytes;
  if (!copy_in(reinterpret_cast<void*>(move.to), UserAddress(move.from), bytes)) {
    native::unmap(move.to, move.new_bytes);
    return fail(Errno::Fault);
  }
  if (move.protection != read_write) native::protect(move.to, move.new_bytes, move.protection);
  if (!regions().insert({move.to, move.to + move.new_bytes, move.protection, true}) ||
      !regions().carve(move.from, move.from + move.old_bytes)) {
    return fail(Errno::NoMemory);
  }
  native::unmap(move.from, move.old_bytes);
  return static_cast<Value>(move.to);
}

Value shrink(const Move& move) {
  const std::uint64_t end = move.from + move.new_bytes, old_end = move.from + move.old_bytes;
  if (end < old_end) {
    if (const Value result = unlink_pages(end, old_end); result < 0) return result;
    if (!regions().carve(end, old_end)) return fail(Errno::NoMemory);
    native::unmap(end, old_end - end);
  }
  return static_cast<Value>(move.from);
}

// A file's mapping neither grows nor moves: its callers map anew.
Value refuse_file() {
  static constinit Once said{};
  if (said.first()) Line() << "mremap of a file's mapping can only make it smaller: ENOMEM";
  return fail(Errno::NoMemory);
}

// Fresh zero pages for the backed parts of [start, end) that the program mapped itself.
Value discard(std::uint64_t start, std::uint64_t end) {
  // What is there goes back, so memory is not asked whether it has as much again.
  constexpr unsigned replace = REPRISE_MAP_REPLACE | REPRISE_MAP_SPARSE;
  for (std::uint64_t at = start; at < end;) {
    const Region* region = regions().at_or_above(at);
    if (region == nullptr || region->start > at) return fail(Errno::Invalid);
    const std::uint64_t part_end = region->end < end ? region->end : end;
    if (region->node != nullptr) {  // a shared one shows its file all the time
      const Value result = region->link == FileLink::Private ? reload(*region, at, part_end) : 0;
      if (result < 0) return result;
    } else if (region->backed && native::map(at, part_end - at, region->protection, replace) < 0) {
      return fail(Errno::NoMemory);
    }
    at = part_end;
  }
  return 0;
}

}  // namespace

Value call_mremap(Call& call) {
  Move move{.from = call.argument[0],
            .old_bytes = page_up(call.argument[1]),
            .to = call.argument[4],
            .new_bytes = page_up(call.argument[2]),
            .protection = 0};
  const std::uint64_t flags = call.argument[3];
  const bool flags_are_known = (flags & ~(may_move | to_fixed)) == 0;
  if (!flags_are_known || flags == to_fixed) return fail(Errno::Invalid);
  if (move.old_bytes == 0 || move.new_bytes == 0) return fail(Errno::Invalid);
  if (move.from % page_bytes != 0) return fail(Errno::Invalid);
  const Region* region = regions().at_or_above(move.from);
  if (region == nullptr || region->start > move.from) return fail(Errno::Fault);
  if (!region->backed || region->end - move.from < move.old_bytes) return fail(Errno::Fault);
  move.protection = region->protection;
  const bool only_shrinks = move.new_bytes <= move.old_bytes && (flags & to_fixed) == 0;
  if (region->node != nullptr && !only_shrinks) return refuse_file();
  if (!only_shrinks && is_over_limit(move.new_bytes - move.old_bytes)) return fail(Errno::NoMemory);
  if ((flags & to_fixed) != 0) {
    if (move.to % page_bytes != 0 || !may_map(move.to, move.new_bytes)) {
      return fail(Errno::Invalid);
    }
    const bool apart =
        move.to >= move.from + move.old_bytes || move.from >= move.to + move.new_bytes;
    return apart ? copy_to(move, REPRISE_MAP_REPLACE) : fail(Errno::Invalid);
  }
  if (move.new_bytes <= move.old_bytes) return shrink(move);
  if (grow_in_place(move)) return static_cast<Value>(move.from);
  if ((flags & may_move) == 0) return fail(Errno::NoMemory);
  move.to = find_place(move.new_bytes);
  return move.to == 0 ? fail(Errno::NoMemory) : copy_to(move, 0);
}

Value call_madvise(Call& call) {
  constexpr std::uint64_t dont_need = 4, remove = 9;
  const std::uint64_t start = call.argument[0], end = start + page_up(call.argument[1]);
  if (start % page_bytes != 0 || end < start) return fail(Errno::Invalid);
  if (call.argument[2] == remove) return fail(Errno::Invalid);
  return call.argument[2] == dont_need ? discard(start, end) : 0;
}

// A file and its mappings are the same at any time.
Value call_msync(Call& call) {
  constexpr std::uint64_t asynchronous = 1, invalidate = 2, synchronous = 4;
  const std::uint64_t start = call.argument[0], end = start + page_up(call.argument[1]);
  const std::uint64_t flags = call.argument[2];
  const bool both = (flags & asynchronous) != 0 && (flags & synchronous) != 0;
  const bool known = (flags & ~(asynchronous | invalidate | synchronous)) == 0;
  if (start % page_bytes != 0 || !known || both) return fail(Errno::Invalid);
  for (std::uint64_t at = start; at < end;) {
    const Region* region = regions().at_or_above(at);
    if (region == nullptr || region->start > at) return fail(Errno::NoMemory);
    at = region->end;
  }
  return 0;
}

}  // namespace personality
