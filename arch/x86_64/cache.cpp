#include "arch/cache.hpp"

#include <span>

#include "arch/direct_map.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/features.hpp"
#include "arch/x86_64/instructions.hpp"

namespace arch {

using namespace x86;

namespace {

// Bytes, from units of 8 in CPUID 1 EBX[15:8].
std::size_t line_size() { return (cpuid(1).ebx >> 8 & 0xff) * 8; }

template <void (*Flush)(const void*)>
void flush_lines(std::span<const std::byte> bytes, std::size_t line) {
  for (std::size_t at = 0; at < bytes.size(); at += line) Flush(&bytes[at]);
}

}  // namespace

void flush_all_caches() { wbinvd(); }

// CPUID is asked once: in a virtual machine it costs an exit.
void flush_frame(reprise::FrameNumber frame) {
  CacheState& cache = board.cache;
  if (cache.line == 0) {
    cache.line = line_size();
    cache.optimized = has(feature::clflushopt);
  }
  if (cache.line == 0) return;  // no CLFLUSH
  const std::span<const std::byte> bytes = std::as_bytes(frame_words(frame));
  if (cache.optimized) {
    flush_lines<clflushopt>(bytes, cache.line);
  } else {
    flush_lines<clflush>(bytes, cache.line);
  }
}

// CLFLUSHOPT is ordered only by fences (Intel SDM Vol. 2A, CLFLUSHOPT).
void await_flushes() { mfence(); }

}  // namespace arch
