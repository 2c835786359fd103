// Physical memory as the kernel sees it (the direct map), and the few operations on whole pages
// that DWC's speed hangs on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kernel/base/address.hpp"

namespace arch {

using FrameWords = std::span<std::uint64_t, reprise::words_per_page>;

[[nodiscard]] FrameWords frame_words(reprise::FrameNumber frame);
// Any physical range that lies in memory, through the direct map.
[[nodiscard]] std::span<std::byte> physical_bytes(reprise::PhysAddr start, std::size_t size);

// Copies a page and returns the check word of what was copied: the exclusive or of its words, which
// one flipped bit anywhere always changes. `_at_fault` uses no vector registers: it runs while the
// program's extended state is still in the CPU.
std::uint64_t copy_frame(reprise::FrameNumber to, reprise::FrameNumber from);
std::uint64_t copy_frame_at_fault(reprise::FrameNumber to, reprise::FrameNumber from);
void clear_frame(reprise::FrameNumber frame);  // no vector registers

struct FrameComparison {
  std::optional<std::size_t> first_difference;  // word index; nothing when all 512 words agree
  std::uint64_t check_word;                     // of the first frame, meaningful when equal
};
[[nodiscard]] FrameComparison compare_frames(reprise::FrameNumber a, reprise::FrameNumber b);

// Cache flush between runs: every cache of this CPU (WBINVD), or the lines of one frame
// (CLFLUSHOPT, or CLFLUSH where that is all there is).
void flush_all_caches();
void flush_frame(reprise::FrameNumber frame);

}  // namespace arch
