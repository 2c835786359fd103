// The copy and the comparison that DWC's speed hangs on, in 16-byte steps: the one file that the
// build compiles with vector registers (SSE2, which every x86-64 CPU has). Called only between
// save_rest() and load_rest(), when no program's vectors are in the CPU.
#include "arch/frame_vector.hpp"

#include "arch/direct_map.hpp"

namespace arch {
namespace {

using Vector [[gnu::vector_size(16), gnu::may_alias]] = std::uint64_t;

constexpr std::size_t vectors_per_page = reprise::page_size / sizeof(Vector);

Vector* vectors(reprise::FrameNumber frame) {
  return reinterpret_cast<Vector*>(frame_words(frame).data());
}

}  // namespace

std::uint64_t copy_frame(reprise::FrameNumber to, reprise::FrameNumber from) {
  Vector* const target = vectors(to);
  const Vector* const source = vectors(from);
  Vector sum{};
#pragma GCC unroll 8
  for (std::size_t i = 0; i < vectors_per_page; ++i) {
    const Vector v = source[i];
    sum ^= v;
    target[i] = v;
  }
  return sum[0] ^ sum[1];
}

FrameComparison compare_frames(reprise::FrameNumber a, reprise::FrameNumber b) {
  const Vector* const left = vectors(a);
  const Vector* const right = vectors(b);
  Vector sum{}, difference{};
#pragma GCC unroll 8
  for (std::size_t i = 0; i < vectors_per_page; ++i) {
    const Vector v = left[i];
    sum ^= v;
    difference |= v ^ right[i];
  }
  if ((difference[0] | difference[1]) == 0) return {std::nullopt, sum[0] ^ sum[1]};
  std::size_t word = 0;
  while (word < reprise::words_per_page - 1 && frame_words(a)[word] == frame_words(b)[word]) ++word;
  return {word, 0};
}

}  // namespace arch
