// A sorted list of disjoint ranges of physical memory: available ones are put in, taken ones cut
// out. Bounded; what does not fit is left unused rather than written past the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "arch/machine.hpp"

namespace arch {

class MemoryRanges {
public:
  explicit MemoryRanges(std::span<MemoryRange> storage) : storage_{storage} {}

  // Adds [start, end), joined with what it touches. False when the list is full.
  bool add(std::uint64_t start, std::uint64_t end);
  // Removes [start, end) from whatever covers it. False when a split did not fit: the shorter part
  // is lost then, never the cut.
  bool cut(std::uint64_t start, std::uint64_t end);
  // Keeps whole pages only.
  void trim_to_pages();

  [[nodiscard]] std::span<const MemoryRange> ranges() const { return storage_.first(count_); }
  [[nodiscard]] std::uint64_t total() const;

private:
  void remove(std::size_t index);
  void insert(std::size_t index, std::uint64_t start, std::uint64_t end);

  std::span<MemoryRange> storage_;
  std::size_t count_ = 0;
};

}  // namespace arch
