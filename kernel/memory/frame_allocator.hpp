// All free physical memory, a frame at a time. Frames never handed out yet are counted up from the
// memory map; frames given back are chained through their own first word. So a machine with a
// terabyte starts as fast as one with 64 MiB, and both operations take constant time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "arch/boot_info.hpp"
#include "arch/page_table.hpp"
#include "kernel/base/address.hpp"

namespace reprise {

class FrameAllocator final : public FrameSource {
public:
  // Takes over the ranges; what is not a whole frame in them is left out.
  void initialize(std::span<const arch::MemoryRange> memory);

  [[nodiscard]] std::optional<FrameNumber> allocate() override;
  // The one place where frames come back: from page tables, the engine, and ended processes. Today
  // a frame has one owner (arch::Ownership). Once spaces share frames that are written to, the
  // count of owners stands here, and the last release() takes the frame back.
  void release(FrameNumber frame) override;

  // Frames that follow each other, for tables larger than a page; never given back.
  [[nodiscard]] std::optional<FrameNumber> allocate_adjacent(std::size_t count);

  [[nodiscard]] std::uint64_t free_frames() const override { return free_; }
  // Those that allocate() gives out before it fails.
  [[nodiscard]] std::uint64_t obtainable() const { return free_ > reserve_ ? free_ - reserve_ : 0; }
  // From now on as many frames stay free; a later, smaller reserve opens them again.
  void set_reserve(std::uint64_t frames) { reserve_ = frames; }

private:
  struct Range {
    std::uint64_t next, end;  // frame numbers, end exclusive
    std::uint64_t start;
  };
  static constexpr FrameNumber end_of_chain{~0ull};

  [[nodiscard]] bool manages(FrameNumber frame) const;

  std::array<Range, arch::max_memory_ranges> ranges_{};
  std::size_t range_count_ = 0;
  FrameNumber released_ = end_of_chain;  // head of the chain of frames given back
  std::uint64_t free_ = 0;
  std::uint64_t reserve_ = 0;
};

}  // namespace reprise
