// Whole-page operations that leave the vector registers alone: those of the program that runs may
// still be in the CPU. The fast ones stand in frame_vector.cpp.
#include "arch/frame_memory.hpp"

#include "arch/x86_64/instructions.hpp"

namespace arch {

using namespace x86;

namespace {

// Bytes of a cache line as CLFLUSH counts them: CPUID 1 EBX[15:8], in units of 8 bytes.
std::size_t line_bytes() {
  static constinit std::size_t bytes = 0;
  if (bytes == 0) bytes = (cpuid(1).ebx >> 8 & 0xff) * 8;
  return bytes;
}

bool has_clflushopt() {
  static constinit int known = -1;
  if (known < 0) {
    known = cpuid(0).eax >= 7 && (cpuid(7).ebx & Cpuid7Ebx::Clflushopt::mask) != 0 ? 1 : 0;
  }
  return known == 1;
}

}  // namespace

std::uint64_t check_word(std::span<const std::uint64_t> words) {
  std::uint64_t check = 0;
  for (const std::uint64_t word : words) check ^= word;
  return check;
}

// The check word is taken from the very words that are stored, not from a second reading.
std::uint64_t copy_frame_at_fault(reprise::FrameNumber to, reprise::FrameNumber from) {
  const FrameWords target = frame_words(to);
  const FrameWords source = frame_words(from);
  std::uint64_t check = 0;
  for (std::size_t i = 0; i < reprise::words_per_page; ++i) {
    const std::uint64_t word = source[i];
    check ^= word;
    target[i] = word;
  }
  return check;
}

void clear_frame(reprise::FrameNumber frame) {
  rep_stosq(frame_words(frame).data(), 0, reprise::words_per_page);
}

void flush_all_caches() { wbinvd(); }

void flush_frame(reprise::FrameNumber frame) {
  const auto bytes = std::as_bytes(frame_words(frame));
  const std::size_t line = line_bytes();
  if (line == 0) return;  // no CLFLUSH
  for (std::size_t offset = 0; offset < bytes.size(); offset += line) {
    if (has_clflushopt()) {
      clflushopt(&bytes[offset]);
    } else {
      clflush(&bytes[offset]);
    }
  }
  mfence();  // CLFLUSHOPT is ordered only by fences (Intel SDM Vol. 2A, CLFLUSHOPT)
}

}  // namespace arch
