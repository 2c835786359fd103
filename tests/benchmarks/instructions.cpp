// Single instructions of the model (docs/performance.md) that ring 3 may execute: flushes of cache
// lines and what it takes to read them again, and the registers' XSAVE and XRSTOR. The length of a
// cycle is measured, too, as the time stamp's is another.
#include <benchmark/benchmark.h>
#include <cpuid.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "tests/benchmarks/benchmarks.hpp"
#include "tests/benchmarks/page_buffers.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t line_bytes = 64, pages = 64,
                      lines = pages * benchmarks::page_bytes / line_bytes;

struct alignas(line_bytes) Line {
  Line* next = nullptr;
  std::byte rest[line_bytes - sizeof(Line*)]{};
};

std::vector<Line>& memory() {
  static std::vector<Line> made(lines);
  return made;
}

// Each line points to the next one to read.
enum class Order : std::uint8_t { InSequence, Shuffled };

void link(Order order) {
  std::vector<std::size_t> places(lines);
  std::iota(places.begin(), places.end(), 0);
  if (order == Order::Shuffled) std::shuffle(places.begin(), places.end(), std::mt19937{1});
  for (std::size_t i = 0; i < lines; ++i) {
    memory()[places[i]].next = &memory()[places[(i + 1) % lines]];
  }
}

Line* read_all(Line* at) {
  for (std::size_t i = 0; i < lines; ++i) at = at->next;
  return at;
}

// A fence behind so many pages as the first run of a short PE uses (arch::await_flushes()).
void flush_all_lines() {
  constexpr std::size_t pages_of_run = 4, fence_at = lines / pages * pages_of_run;
  for (std::size_t i = 0; i < lines; ++i) {
    asm volatile("clflushopt %0" : "+m"(memory()[i]));
    if (i % fence_at == fence_at - 1) asm volatile("mfence" ::: "memory");
  }
}

// Seconds that `work` takes, for each of `count`.
template <class Work>
double each(std::size_t count, Work work) {
  const Clock::time_point begin = Clock::now();
  work();
  return std::chrono::duration<double>{Clock::now() - begin}.count() / static_cast<double>(count);
}

enum class Before : std::uint8_t { Absent, Clean, Modified };

void flush_line(benchmark::State& state, Before before) {
  link(Order::InSequence);
  for ([[maybe_unused]] auto _ : state) {
    flush_all_lines();
    if (before == Before::Clean) benchmark::DoNotOptimize(read_all(memory().data()));
    if (before == Before::Modified) link(Order::InSequence);
    benchmark::ClobberMemory();
    state.SetIterationTime(each(lines, flush_all_lines));
  }
}

void reread_line(benchmark::State& state, Order order) {
  link(order);
  for ([[maybe_unused]] auto _ : state) {
    flush_all_lines();
    state.SetIterationTime(
        each(lines, [] { benchmark::DoNotOptimize(read_all(memory().data())); }));
  }
}

// Ten additions that wait for each other.
void cycle(benchmark::State& state) {
  constexpr std::size_t additions = 10'000;
  for ([[maybe_unused]] auto _ : state) {
    state.SetIterationTime(each(additions, [] {
      std::uint64_t sum = 1;
      for (std::size_t i = 0; i < additions / 10; ++i) {
        asm volatile(
            "add %0, %0\n add %0, %0\n add %0, %0\n add %0, %0\n add %0, %0\n"
            "add %0, %0\n add %0, %0\n add %0, %0\n add %0, %0\n add %0, %0"
            : "+r"(sum));
      }
    }));
  }
}

// x87, SSE, AVX and AVX-512, as far as the system has switched them on.
std::uint32_t components() {
  std::uint32_t low = 0, high = 0;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low & 0xe7;
}

struct alignas(64) Image {
  std::byte bytes[4096]{};
};

constexpr std::size_t repeated = 100;

// Fixed: an iteration's time is that of one instruction, so it would take ages to fill a time.
constexpr int turns = 200;

void save(benchmark::State& state) {
  static Image image;
  const std::uint32_t wanted = components();
  for ([[maybe_unused]] auto _ : state) {
    state.SetIterationTime(each(repeated, [wanted] {
      for (std::size_t i = 0; i < repeated; ++i) {
        asm volatile("xsave64 %0" : "+m"(image) : "a"(wanted), "d"(0));
      }
    }));
  }
}

void restore(benchmark::State& state) {
  static Image image;
  const std::uint32_t wanted = components();
  asm volatile("xsave64 %0" : "+m"(image) : "a"(wanted), "d"(0));
  for ([[maybe_unused]] auto _ : state) {
    state.SetIterationTime(each(repeated, [wanted] {
      for (std::size_t i = 0; i < repeated; ++i) {
        asm volatile("fninit\n xrstor64 %0" ::"m"(image), "a"(wanted), "d"(0));
      }
    }));
  }
}

bool has_clflushopt() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 23 & 1) != 0;
}

bool has_xsave() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c >> 27 & 1) != 0;  // OSXSAVE
}

}  // namespace

void benchmarks::register_instructions() {
  benchmark::RegisterBenchmark("instructions/cycle/1", cycle)->UseManualTime()->Iterations(turns);
  if (has_clflushopt()) {
    const auto flush = [](const char* name, Before before) {
      benchmark::RegisterBenchmark(name, flush_line, before)->UseManualTime()->Iterations(turns);
    };
    flush("instructions/flush_line/absent", Before::Absent);
    flush("instructions/flush_line/clean", Before::Clean);
    flush("instructions/flush_line/modified", Before::Modified);
    const auto reread = [](const char* name, Order order) {
      benchmark::RegisterBenchmark(name, reread_line, order)->UseManualTime()->Iterations(turns);
    };
    reread("instructions/reread_line/in_sequence", Order::InSequence);
    reread("instructions/reread_line/shuffled", Order::Shuffled);
  }
  if (!has_xsave()) return;
  benchmark::RegisterBenchmark("instructions/xsave/1", save)->UseManualTime()->Iterations(turns);
  benchmark::RegisterBenchmark("instructions/fninit_xrstor/1", restore)
      ->UseManualTime()
      ->Iterations(turns);
}
