// Whole-page operations that leave the vector registers alone: those of the program that runs may
// still be in the CPU. The fast ones stand in frame_vector.cpp.
#include "arch/frame_memory.hpp"

#include "arch/x86_64/instructions.hpp"

namespace arch {

using namespace x86;

// The check word is taken from the very words that are stored, not from a second reading.
std::uint64_t copy_frame_at_fault(reprise::FrameNumber to, reprise::FrameNumber from) {
  std::uint64_t* target = frame_words(to).data();
  std::uint64_t check = 0;
  for (const std::uint64_t word : frame_words(from)) {
    check ^= word;
    *target = word;
    ++target;
  }
  return check;
}

void clear_frame(reprise::FrameNumber frame) {
  rep_stosq(frame_words(frame).data(), 0, reprise::words_per_page);
}

}  // namespace arch
