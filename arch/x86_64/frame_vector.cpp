// The copy and the comparison that DWC's speed hangs on, in 16-byte steps: the one file that the
// build compiles with vector registers (SSE2, which every x86-64 CPU has). Called only between
// save_rest() and load_rest(), when no program's vectors are in the CPU.
#include <cstddef>
#include <cstdint>

#include "arch/frame_memory.hpp"

namespace arch {
namespace {

using Vector [[gnu::vector_size(16), gnu::may_alias]] = std::uint64_t;

constexpr std::size_t vector_words = sizeof(Vector) / sizeof(std::uint64_t);
constexpr std::size_t vectors_per_page = reprise::page_size / sizeof(Vector);
constexpr std::size_t lanes = 4;  // accumulators that do not wait for each other

Vector* vectors(FrameWords words) { return reinterpret_cast<Vector*>(words.data()); }

std::uint64_t folded(const Vector (&sums)[lanes]) {
  const Vector sum = sums[0] ^ sums[1] ^ sums[2] ^ sums[3];
  return sum[0] ^ sum[1];
}

}  // namespace

std::uint64_t copy_frame(reprise::FrameNumber to, reprise::FrameNumber from) {
  Vector* const target = vectors(frame_words(to));
  const Vector* const source = vectors(frame_words(from));
  Vector sums[lanes]{};
  for (std::size_t i = 0; i < vectors_per_page; i += lanes) {
#pragma GCC unroll 4  // the accumulators must stay in registers
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const Vector v = source[i + lane];
      sums[lane] ^= v;
      target[i + lane] = v;
    }
  }
  return folded(sums);
}

FrameComparison compare_frames(reprise::FrameNumber a, reprise::FrameNumber b) {
  const FrameWords first = frame_words(a);
  const FrameWords second = frame_words(b);
  const Vector* const left = vectors(first);
  const Vector* const right = vectors(second);
  Vector sums[lanes]{};
  for (std::size_t i = 0; i < vectors_per_page; i += lanes) {
    Vector difference{};
#pragma GCC unroll 4  // the accumulators must stay in registers
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const Vector v = left[i + lane];
      sums[lane] ^= v;
      difference |= v ^ right[i + lane];
    }
    if ((difference[0] | difference[1]) == 0) continue;
    std::size_t word = i * vector_words;
    while (first[word] == second[word]) ++word;
    return {word, 0};
  }
  return {std::nullopt, folded(sums)};
}

}  // namespace arch
