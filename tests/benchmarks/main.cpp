// The benchmarks as one program of Google Benchmark. scripts/bench --host runs it.
#include <benchmark/benchmark.h>

#include "tests/benchmarks/benchmarks.hpp"

std::vector<benchmarks::Width> benchmarks::widths() {
  std::vector<Width> found{{"sse2", &arch::x86::sse2_operations}};
  if (__builtin_cpu_supports("avx2")) found.push_back({"avx2", &arch::x86::avx2_operations});
  if (__builtin_cpu_supports("avx512f")) found.push_back({"avx512", &arch::x86::avx512_operations});
  return found;
}

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::AddCustomContext("widest_vectors", benchmarks::widths().back().name);
  benchmarks::register_pages();
  benchmarks::register_registers();
  benchmarks::register_page_set();
  benchmarks::register_controller();
  benchmarks::register_instructions();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
