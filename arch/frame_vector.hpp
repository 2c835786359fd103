// The copies and the comparison of pages that the speed of DWC depends on. All use vector
// registers: they may only be called while no program's registers are in the CPU
// (arch/user_state.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kernel/base/address.hpp"

namespace arch {

void copy_frame(reprise::FrameNumber to, reprise::FrameNumber from);
// Returns the check word of what was copied, as copy_frame_at_fault() does.
[[nodiscard]] std::uint64_t checked_copy_of_frame(reprise::FrameNumber to,
                                                  reprise::FrameNumber from);

struct FrameComparison {
  std::optional<std::size_t> first_difference;  // word index; nothing when all 512 words agree
  std::uint64_t check_word;                     // of the first frame, meaningful when equal
};
[[nodiscard]] FrameComparison compare_frames(reprise::FrameNumber a, reprise::FrameNumber b);

}  // namespace arch
