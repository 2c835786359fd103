#include "kernel/memory/frame_allocator.hpp"

#include "arch/boot_info.hpp"
#include "arch/direct_map.hpp"
#include "kernel/base/assert.hpp"

namespace reprise {

void FrameAllocator::initialize(std::span<const arch::MemoryRange> memory) {
  for (const arch::MemoryRange& range : memory) {
    const std::uint64_t first = round_up(range.start.value()) >> page_shift;
    const std::uint64_t end = (range.start.value() + range.size) >> page_shift;
    if (first >= end || range_count_ == ranges_.size()) continue;
    ranges_[range_count_] = {.next = first, .end = end, .start = first};
    ++range_count_;
    free_ += end - first;
  }
}

std::optional<FrameNumber> FrameAllocator::allocate() {
  if (free_ <= reserve_) return std::nullopt;
  if (released_ == end_of_chain) return allocate_adjacent(1);
  const FrameNumber frame = released_;
  released_ = FrameNumber{arch::frame_words(frame)[0]};
  --free_;
  return frame;
}

// The lowest that are left: the first ones, for page tables, must lie where the boot tables reach.
std::optional<FrameNumber> FrameAllocator::allocate_adjacent(std::size_t count) {
  Range* lowest = nullptr;
  for (Range& range : std::span{ranges_}.first(range_count_)) {
    const bool fits = range.end - range.next >= count;
    if (fits && (lowest == nullptr || range.next < lowest->next)) lowest = &range;
  }
  if (lowest == nullptr || free_ < reserve_ + count) return std::nullopt;
  const FrameNumber frame{lowest->next};
  lowest->next += count;
  free_ -= count;
  return frame;
}

void FrameAllocator::release(FrameNumber frame) {
  REPRISE_ASSERT(manages(frame));
  arch::frame_words(frame)[0] = released_.value();
  released_ = frame;
  ++free_;
}

bool FrameAllocator::manages(FrameNumber frame) const {
  for (std::size_t i = 0; i < range_count_; ++i) {
    if (frame.value() >= ranges_[i].start && frame.value() < ranges_[i].next) return true;
  }
  return false;
}

}  // namespace reprise
