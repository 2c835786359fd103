// A whole PE of the controller on the fake machine of tests/libdwc, by the number of pages that it
// modifies: both runs, the comparison and the commit. The fake machine interprets its programs and
// checks much. So this shows how a PE grows with its pages, not what one costs on a real machine.
#include "libdwc/controller.hpp"

#include <benchmark/benchmark.h>

#include "tests/benchmarks/benchmarks.hpp"
#include "tests/libdwc/programs.hpp"

namespace {

constexpr std::size_t most_pages = 60;

void run_pe(benchmark::State& state) {
  const auto pages = static_cast<std::size_t>(state.range(0));
  fake::World<> world{fake::touch_pages(pages), most_pages, 4 * most_pages};
  for ([[maybe_unused]] auto _ : state) {
    if (world.process.run_pe() == dwc::Next::Stop) state.SkipWithError("a PE was stopped");
    world.process.serve();
  }
  if (world.statistics().restarts != 0) state.SkipWithError("a PE was restarted");
}

// The same program without an engine, once.
void run_plain(benchmark::State& state) {
  const auto pages = static_cast<std::size_t>(state.range(0));
  fake::Reference reference{fake::touch_pages(pages), most_pages};
  for ([[maybe_unused]] auto _ : state) reference.run_pe();
}

}  // namespace

void benchmarks::register_controller() {
  for (const std::size_t pages : {std::size_t{0}, std::size_t{1}, std::size_t{10}, most_pages}) {
    benchmark::RegisterBenchmark("controller/run_pe", run_pe)
        ->Arg(static_cast<std::int64_t>(pages));
    benchmark::RegisterBenchmark("controller/run_plain", run_plain)
        ->Arg(static_cast<std::int64_t>(pages));
  }
}
