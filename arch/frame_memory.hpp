// Operations on whole pages that leave all vector registers as they are: the program's are still in
// the CPU.
#pragma once

#include <cstdint>

#include "arch/direct_map.hpp"
#include "kernel/base/address.hpp"

namespace arch {

// Copies a page and returns the check word of what was copied: the exclusive or of its words. One
// flipped bit anywhere always changes it.
std::uint64_t copy_frame_at_fault(reprise::FrameNumber to, reprise::FrameNumber from);
void clear_frame(reprise::FrameNumber frame);

}  // namespace arch
