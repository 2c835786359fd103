// The copies and the comparison of pages, by the vector registers that boot has chosen. Called only
// between save_rest() and load_rest(), when no program's vectors are in the CPU.
#include "arch/frame_vector.hpp"

#include "arch/direct_map.hpp"
#include "arch/x86_64/board.hpp"

namespace arch {

using namespace x86;

void copy_frame(reprise::FrameNumber to, reprise::FrameNumber from) {
  board.vector_operations->copy_page(frame_words(to).data(), frame_words(from).data());
}

std::uint64_t checked_copy_of_frame(reprise::FrameNumber to, reprise::FrameNumber from) {
  return board.vector_operations->checked_copy_of_page(frame_words(to).data(),
                                                       frame_words(from).data());
}

FrameComparison compare_frames(reprise::FrameNumber a, reprise::FrameNumber b) {
  const std::uint64_t* const left = frame_words(a).data();
  const std::uint64_t* const right = frame_words(b).data();
  const VectorOperations::Comparison found = board.vector_operations->compare_pages(left, right);
  if (found.differing == 0) return {std::nullopt, found.check};
  std::size_t word = 0;
  while (word < reprise::words_per_page - 1 && left[word] == right[word]) ++word;
  return {word, 0};
}

}  // namespace arch
