// Pages: copies and comparisons with a check word against memcpy and memcmp, for pages in each
// level of the memory hierarchy; and what the C library reads and copies in one large piece.
#include <benchmark/benchmark.h>

#include <map>
#include <string>

#include "tests/benchmarks/benchmarks.hpp"
#include "tests/benchmarks/c_library.hpp"
#include "tests/benchmarks/page_buffers.hpp"
#include "tests/benchmarks/turns.hpp"

namespace {

using namespace benchmarks;
using arch::x86::VectorOperations;

// Both pages of all pairs: a third of a first-level cache, a quarter of a second-level one, and
// more than the third-level cache that one core can fill.
struct Level {
  std::string name;
  std::size_t bytes;
};
const Level levels[] = {{"L1", std::size_t{16} << 10},
                        {"L2", std::size_t{256} << 10},
                        {"memory", std::size_t{256} << 20}};

// Made when the first benchmark needs them, then kept: the benchmarks come in random order.
const PageBuffers& pages_in(const Level& level) {
  static std::map<std::size_t, PageBuffers> made;
  return made.try_emplace(level.bytes, level.bytes).first->second;
}

void copy_page(benchmark::State& state, const VectorOperations& vectors, const PageBuffers& pages) {
  Turns{state, pages.size(), page_bytes}.measure(
      [&](std::size_t i) { vectors.copy_page(pages[i].to, pages[i].from); },
      [&](std::size_t i) { c_memcpy(pages[i].to, pages[i].from, page_bytes); });
}

void checked_copy(benchmark::State& state, const VectorOperations& vectors,
                  const PageBuffers& pages) {
  std::uint64_t check = 0;
  Turns{state, pages.size(), page_bytes}.measure(
      [&](std::size_t i) { check ^= vectors.checked_copy_of_page(pages[i].to, pages[i].from); },
      [&](std::size_t i) { c_memcpy(pages[i].to, pages[i].from, page_bytes); });
  benchmark::DoNotOptimize(check);
}

void compare(benchmark::State& state, const VectorOperations& vectors, const PageBuffers& pages) {
  std::uint64_t differing = 0, check = 0;
  int order = 0;
  Turns{state, pages.size(), page_bytes}.measure(
      [&](std::size_t i) {
        const VectorOperations::Comparison found =
            vectors.compare_pages(pages[i].to, pages[i].from);
        differing |= found.differing;
        check ^= found.check;
      },
      [&](std::size_t i) { order |= c_memcmp(pages[i].to, pages[i].from, page_bytes); });
  benchmark::DoNotOptimize(check);
  if (differing != 0 || order != 0) state.SkipWithError("equal pages are said to differ");
}

// The reference only reads: memchr() for a byte that is not there.
void check_word(benchmark::State& state, const VectorOperations& vectors,
                const PageBuffers& pages) {
  std::uint64_t check = 0;
  const void* found = nullptr;
  Turns{state, pages.size(), page_bytes}.measure(
      [&](std::size_t i) { check ^= vectors.check_word(pages[i].from, page_bytes); },
      [&](std::size_t i) { found = c_memchr(pages[i].from, 0, page_bytes); });
  benchmark::DoNotOptimize(check);
  benchmark::DoNotOptimize(found);
}

// One large piece, by the C library: what the memory can do.
void copy_piece(benchmark::State& state, const PageBuffers& pages) {
  const std::size_t bytes = pages.size() * page_bytes;
  auto* const to = reinterpret_cast<char*>(pages.begin());
  for ([[maybe_unused]] auto _ : state) {
    c_memcpy(to, to + bytes, bytes);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

void read_piece(benchmark::State& state, const PageBuffers& pages) {
  const std::size_t bytes = 2 * pages.size() * page_bytes;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(c_memchr(pages.begin(), 0, bytes));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

struct PageOperation {
  std::string name;
  void (*measure)(benchmark::State&, const VectorOperations&, const PageBuffers&);
};
const PageOperation timed[] = {{"copy_page", copy_page},
                               {"checked_copy_of_page", checked_copy},
                               {"compare_pages", compare},
                               {"check_word", check_word}};

}  // namespace

void benchmarks::register_pages() {
  for (const Level& level : levels) {
    for (const Width& width : widths()) {
      for (const PageOperation& operation : timed) {
        benchmark::RegisterBenchmark(
            ("pages/" + operation.name + "_" + width.name + "/" + level.name).c_str(),
            [&](benchmark::State& state, const VectorOperations* vectors) {
              operation.measure(state, *vectors, pages_in(level));
            },
            width.operations)
            ->UseManualTime();
      }
    }
    benchmark::RegisterBenchmark(
        ("bandwidth/memcpy/" + level.name).c_str(),
        [&](benchmark::State& state) { copy_piece(state, pages_in(level)); });
    benchmark::RegisterBenchmark(
        ("bandwidth/memchr/" + level.name).c_str(),
        [&](benchmark::State& state) { read_piece(state, pages_in(level)); });
  }
}
