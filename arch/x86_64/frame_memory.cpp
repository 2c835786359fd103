// Whole-page operations that leave the vector registers alone: those of the program that runs may
// still be in the CPU. The fast ones stand in frame_vector.cpp.
#include "arch/frame_memory.hpp"

#include "arch/x86_64/features.hpp"

namespace arch {

using namespace x86;

// The check word is taken from the very words that are stored, not from a second reading.
std::uint64_t copy_frame_at_fault(reprise::FrameNumber to, reprise::FrameNumber from) {
  std::uint64_t* target = frame_words(to).data();
  std::uint64_t check = 0;
  for (const std::uint64_t word : frame_words(from)) {
    check ^= word;
    *target++ = word;
  }
  return check;
}

void clear_frame(reprise::FrameNumber frame) {
  rep_stosq(frame_words(frame).data(), 0, reprise::words_per_page);
}

void flush_all_caches() { wbinvd(); }

void flush_frame(reprise::FrameNumber frame) {
  static constinit std::size_t line = 0;  // bytes, from units of 8 in CPUID 1 EBX[15:8]
  static void (*flush)(const void*) = clflush;
  if (line == 0) {
    line = (cpuid(1).ebx >> 8 & 0xff) * 8;
    if (has(feature::clflushopt)) flush = clflushopt;
  }
  if (line == 0) return;  // no CLFLUSH
  const auto bytes = std::as_bytes(frame_words(frame));
  for (std::size_t offset = 0; offset < bytes.size(); offset += line) flush(&bytes[offset]);
  mfence();  // CLFLUSHOPT is ordered only by fences (Intel SDM Vol. 2A, CLFLUSHOPT)
}

}  // namespace arch
