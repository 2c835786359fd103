// Whole-page operations that leave the vector registers as they are: those of the program that runs
// may still be in the CPU. The fast ones stand in frame_vector.cpp.
#include "arch/frame_memory.hpp"

#include "arch/x86_64/board.hpp"
#include "arch/x86_64/instructions.hpp"

namespace arch {

using namespace x86;

std::uint64_t copy_frame_at_fault(reprise::FrameNumber to, reprise::FrameNumber from) {
  return board.vector_operations->copy_page_at_fault(frame_words(to).data(),
                                                     frame_words(from).data());
}

void clear_frame(reprise::FrameNumber frame) {
  rep_stosq(frame_words(frame).data(), 0, reprise::words_per_page);
}

}  // namespace arch
