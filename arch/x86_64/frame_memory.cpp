// Whole-page operations that leave the vector registers as they are: those of the program that runs
// may still be in the CPU. The fast ones stand in frame_vector.cpp.
#include "arch/frame_memory.hpp"

#include "arch/x86_64/board.hpp"
#include "arch/x86_64/instructions.hpp"

namespace arch {

using namespace x86;

namespace {

// Whether a vector register may be changed and put back without a trace. What is written counts as
// in use from then on, and XSAVE and XGETBV tell a program so (Intel SDM Vol. 1 §13.6). The other
// run, without this fault, would see something else.
bool vectors_are_in_use() {
  const ExtendedState& state = board.extended_state;
  if (state.components == 0) return true;  // FXSAVE tells nothing
  if (!state.tells_use) return false;
  const std::uint64_t vectors = state.components & ~Xcr0::X87;
  return (read_components_in_use() & vectors) == vectors;
}

// The check word is taken from the very words that are stored, not from a second reading.
std::uint64_t copy_words(FrameWords to, FrameWords from) {
  std::uint64_t* target = to.data();
  std::uint64_t check = 0;
  for (const std::uint64_t word : from) {
    check ^= word;
    *target = word;
    ++target;
  }
  return check;
}

}  // namespace

std::uint64_t copy_frame_at_fault(reprise::FrameNumber to, reprise::FrameNumber from) {
  const FrameWords target = frame_words(to), source = frame_words(from);
  if (!vectors_are_in_use()) return copy_words(target, source);
  return board.vector_operations->copy_page_at_fault(target.data(), source.data());
}

void clear_frame(reprise::FrameNumber frame) {
  rep_stosq(frame_words(frame).data(), 0, reprise::words_per_page);
}

}  // namespace arch
