#include "tests/benchmarks/page_buffers.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <random>

namespace {

constexpr std::size_t large_page = std::size_t{2} << 20;
constexpr std::size_t words_per_page = benchmarks::page_bytes / sizeof(std::uint64_t);

}  // namespace

namespace benchmarks {

PageBuffers::PageBuffers(std::size_t bytes) {
  const std::size_t room = (bytes + large_page - 1) / large_page * large_page;
  memory_.reset(static_cast<std::uint64_t*>(std::aligned_alloc(large_page, room)));
  if (!memory_) throw std::bad_alloc{};
  // The kernel reaches frames by large pages. Where this fails, both sides of a ratio pay for it.
  static_cast<void>(madvise(memory_.get(), room, MADV_HUGEPAGE));

  std::mt19937_64 random{1};
  const std::size_t count = bytes / (2 * page_bytes);
  std::uint64_t* const sources = memory_.get() + count * words_per_page;
  for (std::size_t i = 0; i < count; ++i) {
    const Pair pair{memory_.get() + i * words_per_page, sources + i * words_per_page};
    // No byte is 0: memchr() looks for one to the end.
    std::fill_n(pair.from, words_per_page, random() | 0x0101010101010101);
    std::copy_n(pair.from, words_per_page, pair.to);
    pairs_.push_back(pair);
  }
  std::shuffle(pairs_.begin(), pairs_.end(), random);
}

}  // namespace benchmarks
