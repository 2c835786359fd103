// Two ways to do the same work, measured in turns of some microseconds. What disturbs the machine
// for longer disturbs both, so their ratio holds even where the times do not.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <vector>

namespace benchmarks {

class Turns {
public:
  // Operations of `bytes` each on `places` places, which both walk over together: neither finds
  // in a cache what the other has just brought in, unless all of it fits.
  Turns(benchmark::State& state, std::size_t places, std::size_t bytes)
      : state_{state}, places_{places}, bytes_{bytes} {}

  // `ours` and `reference` take the number of a place. Reports the bytes per second of both, and
  // `ratio`: how fast ours is beside the reference.
  template <class Ours, class Reference>
  void measure(Ours ours, Reference reference) {
    bool ours_first = false;
    for ([[maybe_unused]] auto _ : state_) {
      if (ours_first) ours_.push_back(turn(ours));
      reference_.push_back(turn(reference));
      if (!ours_first) ours_.push_back(turn(ours));
      ours_first = !ours_first;
      state_.SetIterationTime(ours_.back());
    }
    report();
  }

private:
  template <class Operation>
  double turn(Operation operation) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    for (std::size_t i = 0; i < in_turn; ++i) {
      operation(next_);
      ++next_;
      if (next_ == places_) next_ = 0;
    }
    benchmark::ClobberMemory();
    return std::chrono::duration<double>{Clock::now() - begin}.count();
  }
  void report();

  static constexpr std::size_t in_turn = 256;
  benchmark::State& state_;
  std::size_t places_;
  std::size_t bytes_;
  std::size_t next_ = 0;
  std::vector<double> ours_, reference_;  // seconds of each turn
};

}  // namespace benchmarks
