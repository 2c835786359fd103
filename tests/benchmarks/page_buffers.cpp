#include "tests/benchmarks/page_buffers.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <random>

namespace {

constexpr std::size_t large_page = std::size_t{2} << 20;

}  // namespace

namespace benchmarks {

PageBuffers::PageBuffers(std::size_t bytes) {
  const std::size_t room = (bytes + large_page - 1) / large_page * large_page;
  memory_.reset(static_cast<std::uint64_t*>(std::aligned_alloc(large_page, room)));
  if (!memory_) throw std::bad_alloc{};
  // The kernel reaches frames by large pages. Where this fails, both sides of a ratio pay for it.
  static_cast<void>(madvise(memory_.get(), room, MADV_HUGEPAGE));

  // No byte is 0: memchr() looks for one to the end.
  std::fill_n(memory_.get(), bytes / sizeof(std::uint64_t), 0x0123456789abcdef);
  // The two pages of a pair must not lie at one distance in all pairs: they would meet in the same
  // sets of the caches and the same banks of the memory.
  std::vector<std::uint64_t*> pages;
  for (std::size_t at = 0; at < bytes; at += page_bytes) {
    pages.push_back(memory_.get() + at / sizeof(std::uint64_t));
  }
  std::shuffle(pages.begin(), pages.end(), std::mt19937_64{1});
  for (std::size_t i = 0; i + 1 < pages.size(); i += 2) pairs_.push_back({pages[i], pages[i + 1]});
}

}  // namespace benchmarks
