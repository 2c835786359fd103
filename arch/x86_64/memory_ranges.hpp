// A list of disjoint ranges of physical memory, whole pages, in no order: available ones are put
// in, taken ones cut out. Bounded; what does not fit is left unused rather than written past the
// end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "arch/machine.hpp"

namespace arch {

class MemoryRanges {
public:
  explicit MemoryRanges(std::span<MemoryRange> storage) : storage_{storage} {}

  // Adds the whole pages of [start, end), joined with what they touch.
  void add(std::uint64_t start, std::uint64_t end) {
    start = reprise::round_up(start);
    end = reprise::round_down(end);
    for (std::size_t i = 0; start < end && i < count_;) {
      const std::uint64_t low = start_of(i), high = end_of(i);
      if (high < start || low > end) {
        ++i;
        continue;
      }
      start = low < start ? low : start;
      end = high > end ? high : end;
      remove(i);
    }
    append(start, end);
  }

  // Removes each page of which [start, end) has a part. Where a range falls in two and only one
  // fits, the shorter one is lost, never the cut.
  void cut(std::uint64_t start, std::uint64_t end) {
    if (start >= end) return;
    start = reprise::round_down(start);
    end = reprise::round_up(end);
    for (std::size_t i = 0; i < count_;) {
      const std::uint64_t low = start_of(i), high = end_of(i);
      if (high <= start || low >= end) {
        ++i;
        continue;
      }
      remove(i);
      const std::uint64_t below = start > low ? start - low : 0;
      const std::uint64_t above = high > end ? high - end : 0;
      if (below >= above) append(low, low + below);
      append(high - above, high);
      if (below < above) append(low, low + below);
    }
  }

  [[nodiscard]] std::span<const MemoryRange> ranges() const { return storage_.first(count_); }
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t bytes = 0;
    for (const MemoryRange& range : ranges()) bytes += range.size;
    return bytes;
  }

private:
  [[nodiscard]] std::uint64_t start_of(std::size_t i) const { return storage_[i].start.value(); }
  [[nodiscard]] std::uint64_t end_of(std::size_t i) const {
    return start_of(i) + storage_[i].size;
  }
  void remove(std::size_t i) { storage_[i] = storage_[--count_]; }
  void append(std::uint64_t start, std::uint64_t end) {
    if (start >= end || count_ == storage_.size()) return;
    storage_[count_++] = {reprise::PhysAddr{start}, end - start};
  }

  std::span<MemoryRange> storage_;
  std::size_t count_ = 0;
};

}  // namespace arch
