// A counter of retired instructions for the fake machine: as good as it says, or a liar of one of
// the kinds that real ones are. A CounterModel says how; the same model and seed give the same
// lies.
#pragma once

#include <cstdint>

#include "libdwc/core.hpp"

namespace fake {

struct CounterModel {
  enum class Lie : std::uint8_t {
    None,
    NeverOverflows,
    CountsNothing,
    StaleOnce,    // in each run an overflow comes at once, the next one when it is due
    StaleAlways,  // each overflow comes at once
    Garbage,      // any number, and overflows at any time
  };
  enum class Repeats : std::uint8_t { Once, EachIteration };

  const char* name;
  dwc::Counter announced{};
  std::uint64_t skid = 0;           // an overflow comes late by up to so many instructions
  std::uint64_t skid_beyond = 0;    // and each fourth one by up to so many more
  std::uint64_t per_fault = 0;      // a page fault may count as up to so many instructions
  std::uint64_t per_interrupt = 0;  // the timer, a step, a breakpoint, an overflow
  Repeats repeats = Repeats::Once;  // how a repeated instruction counts
  bool takes_timer = false;         // as icount does: an armed overflow makes the timer void
  Lie lie = Lie::None;

  [[nodiscard]] bool honest() const { return skid_beyond == 0 && lie == Lie::None; }
};

class FakeCounter {
public:
  FakeCounter() = default;
  FakeCounter(const CounterModel& model, std::uint64_t seed) : model_{model}, noise_{seed} {}

  [[nodiscard]] const CounterModel& model() const { return model_; }

  void restart() {
    count_ = 0;
    stale_left_ = model_.lie == CounterModel::Lie::StaleOnce ? 1 : 0;
  }
  [[nodiscard]] std::uint64_t read();
  void stop_at(std::uint64_t count);
  // Until told otherwise, even when the overflow has come.
  [[nodiscard]] bool on() const { return stop_at_ != 0; }

  // An instruction, or an iteration of a repeated one, is over.
  void retired(bool repeats_on);
  void page_fault() { gain(model_.per_fault); }
  void interrupt() { gain(model_.per_interrupt); }
  // Whether the overflow comes now; then it has come.
  [[nodiscard]] bool overflows();

private:
  std::uint64_t up_to(std::uint64_t most);
  void gain(std::uint64_t most) { count_ += up_to(most); }

  CounterModel model_{.name = "none"};
  std::uint64_t noise_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t stop_at_ = 0;
  std::uint64_t late_ = 0;  // instructions until the overflow is seen
  std::uint64_t stale_left_ = 0;
  bool armed_ = false;
};

}  // namespace fake
