// A program's registers: copies, comparisons and check words of them, as the kernel does once in
// each PE, against memcpy and memcmp. They are always in the first-level cache.
#include <benchmark/benchmark.h>

#include <string>

#include "tests/benchmarks/benchmarks.hpp"
#include "tests/benchmarks/c_library.hpp"
#include "tests/benchmarks/page_buffers.hpp"
#include "tests/benchmarks/turns.hpp"

namespace {

using namespace benchmarks;
using arch::x86::VectorOperations;

// General registers alone; with the x87 and SSE state; with all that AVX-512 adds.
constexpr std::size_t sizes[] = {192, 768, 2816};

const PageBuffers& areas() {
  static const PageBuffers made{4 * page_bytes};
  return made;
}

void copy(benchmark::State& state, const VectorOperations& vectors, std::size_t bytes) {
  const PageBuffers& area = areas();
  Turns{state, area.size(), bytes}.measure(
      [&](std::size_t i) { vectors.copy_words(area[i].to, area[i].from, bytes); },
      [&](std::size_t i) { c_memcpy(area[i].to, area[i].from, bytes); });
}

void compare(benchmark::State& state, const VectorOperations& vectors, std::size_t bytes) {
  const PageBuffers& area = areas();
  std::uint64_t differing = 0;
  int order = 0;
  Turns{state, area.size(), bytes}.measure(
      [&](std::size_t i) { differing |= vectors.differing_bits(area[i].to, area[i].from, bytes); },
      [&](std::size_t i) { order |= c_memcmp(area[i].to, area[i].from, bytes); });
  if (differing != 0 || order != 0) state.SkipWithError("equal registers are said to differ");
}

void check_word(benchmark::State& state, const VectorOperations& vectors, std::size_t bytes) {
  const PageBuffers& area = areas();
  std::uint64_t check = 0;
  const void* found = nullptr;
  Turns{state, area.size(), bytes}.measure(
      [&](std::size_t i) { check ^= vectors.check_word(area[i].from, bytes); },
      [&](std::size_t i) { found = c_memchr(area[i].from, 0, bytes); });
  benchmark::DoNotOptimize(check);
  benchmark::DoNotOptimize(found);
}

struct RegisterOperation {
  std::string name;
  void (*measure)(benchmark::State&, const VectorOperations&, std::size_t);
};
const RegisterOperation timed[] = {
    {"copy_words", copy}, {"differing_bits", compare}, {"check_word", check_word}};

}  // namespace

void benchmarks::register_registers() {
  for (const std::size_t bytes : sizes) {
    for (const Width& width : widths()) {
      for (const RegisterOperation& operation : timed) {
        benchmark::RegisterBenchmark(
            ("registers/" + operation.name + "_" + width.name + "/" + std::to_string(bytes))
                .c_str(),
            [&](benchmark::State& state, const VectorOperations* vectors, std::size_t size) {
              operation.measure(state, *vectors, size);
            },
            width.operations, bytes)
            ->UseManualTime();
      }
    }
  }
}
