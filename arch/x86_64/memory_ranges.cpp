// See the header.
#include "arch/x86_64/memory_ranges.hpp"

namespace arch {
namespace {

std::uint64_t start_of(const MemoryRange& range) { return range.start.value(); }
std::uint64_t end_of(const MemoryRange& range) { return range.start.value() + range.size; }

}  // namespace

void MemoryRanges::remove(std::size_t index) {
  for (std::size_t i = index; i + 1 < count_; ++i) storage_[i] = storage_[i + 1];
  --count_;
}

void MemoryRanges::insert(std::size_t index, std::uint64_t start, std::uint64_t end) {
  for (std::size_t i = count_; i > index; --i) storage_[i] = storage_[i - 1];
  storage_[index] = {reprise::PhysAddr{start}, end - start};
  ++count_;
}

bool MemoryRanges::add(std::uint64_t start, std::uint64_t end) {
  if (start >= end) return true;
  std::size_t i = 0;
  while (i < count_ && end_of(storage_[i]) < start) ++i;
  while (i < count_ && start_of(storage_[i]) <= end) {  // touching: take it in
    if (start_of(storage_[i]) < start) start = start_of(storage_[i]);
    if (end_of(storage_[i]) > end) end = end_of(storage_[i]);
    remove(i);
  }
  if (count_ == storage_.size()) return false;
  insert(i, start, end);
  return true;
}

bool MemoryRanges::cut(std::uint64_t start, std::uint64_t end) {
  if (start >= end) return true;
  bool fitted = true;
  for (std::size_t i = 0; i < count_;) {
    const std::uint64_t low = start_of(storage_[i]);
    const std::uint64_t high = end_of(storage_[i]);
    if (high <= start || low >= end) {
      ++i;
      continue;
    }
    remove(i);
    const bool below = low < start;
    const bool above = high > end;
    const bool room_for_both = count_ + 2 <= storage_.size();
    fitted = fitted && (!below || !above || room_for_both);
    const bool prefer_below = below && (!above || room_for_both || start - low >= high - end);
    if (prefer_below) insert(i++, low, start);
    if (above && (room_for_both || !prefer_below)) insert(i++, end, high);
  }
  return fitted;
}

void MemoryRanges::trim_to_pages() {
  for (std::size_t i = 0; i < count_;) {
    const std::uint64_t low = reprise::round_up(start_of(storage_[i]));
    const std::uint64_t high = reprise::round_down(end_of(storage_[i]));
    if (low < high) {
      storage_[i++] = {reprise::PhysAddr{low}, high - low};
    } else {
      remove(i);
    }
  }
}

std::uint64_t MemoryRanges::total() const {
  std::uint64_t bytes = 0;
  for (const MemoryRange& range : ranges()) bytes += range.size;
  return bytes;
}

}  // namespace arch
