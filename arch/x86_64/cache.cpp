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
  const auto bytes = std::as_bytes(frame_words(frame));
  const auto flush = cache.optimized ? clflushopt : clflush;
  for (std::size_t at = 0; at < bytes.size(); at += cache.line) flush(&bytes[at]);
  mfence();  // CLFLUSHOPT is ordered only by fences (Intel SDM Vol. 2A, CLFLUSHOPT)
}

}  // namespace arch
