// The page set: time to find, add, drop and visit a page, by the number of pages in it. None but
// the last may grow with it beyond what the caches make of that.
#include "libdwc/page_set.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tests/benchmarks/benchmarks.hpp"
#include "tests/libdwc/programs.hpp"

namespace {

using Entry = dwc::PageEntry<fake::Machine>;

// A set of pages whose numbers are in a random order.
class FilledSet {
public:
  explicit FilledSet(std::size_t pages) : machine_{{}, 1, frames}, set_{machine_, {}} {
    for (std::uint32_t page = 0; page < pages; ++page) order_.push_back(page);
    std::shuffle(order_.begin(), order_.end(), std::mt19937_64{1});
    for (const std::uint32_t page : order_) add(page);
    std::shuffle(order_.begin(), order_.end(), std::mt19937_64{2});
  }
  [[nodiscard]] Entry* find(std::uint32_t page) { return set_.find(fake::PageNumber{page}); }
  void add(std::uint32_t page) {
    Entry* const entry = set_.reserve_place();
    dwc::require(entry != nullptr);
    entry->page = fake::page_of(page);
    set_.add(*entry);
  }
  void drop(std::uint32_t page) { set_.remove(*find(page)); }
  [[nodiscard]] dwc::PageSet<fake::Machine>& set() { return set_; }
  [[nodiscard]] std::uint32_t next() {
    const std::uint32_t page = order_[at_];
    ++at_;
    if (at_ == order_.size()) at_ = 0;
    return page;
  }

private:
  static constexpr std::size_t frames = 1024;
  fake::Machine machine_;
  dwc::PageSet<fake::Machine> set_;
  std::vector<std::uint32_t> order_;
  std::size_t at_ = 0;
};

void find(benchmark::State& state) {
  FilledSet filled{static_cast<std::size_t>(state.range(0))};
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(filled.find(filled.next()));
}

void move(benchmark::State& state) {
  FilledSet filled{static_cast<std::size_t>(state.range(0))};
  for ([[maybe_unused]] auto _ : state) {
    Entry& entry = *filled.find(filled.next());
    filled.set().move(entry,
                      entry.queue == dwc::Queue::Clean ? dwc::Queue::Touched : dwc::Queue::Clean);
  }
}

// A page leaves and comes back, as when another one takes its place.
void drop_and_add(benchmark::State& state) {
  FilledSet filled{static_cast<std::size_t>(state.range(0))};
  for ([[maybe_unused]] auto _ : state) {
    const std::uint32_t page = filled.next();
    filled.drop(page);
    filled.add(page);
  }
}

// All pages once. The figure is the time of one.
void walk(benchmark::State& state) {
  FilledSet filled{static_cast<std::size_t>(state.range(0))};
  while (state.KeepRunningBatch(state.range(0))) {
    benchmark::DoNotOptimize(filled.set().count_dirty_in(dwc::WhichRun::First));
  }
}

}  // namespace

void benchmarks::register_page_set() {
  struct Operation {
    const char* name;
    void (*measure)(benchmark::State&);
  };
  for (const Operation& operation : {Operation{"page_set/find", find},
                                     {"page_set/move", move},
                                     {"page_set/drop_and_add", drop_and_add},
                                     {"page_set/walk", walk}}) {
    benchmark::RegisterBenchmark(operation.name, operation.measure)
        ->RangeMultiplier(4)
        ->Range(16, 16384);
  }
}
