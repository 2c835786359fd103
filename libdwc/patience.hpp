// What a second run gets when its time is over. It has gone astray, or the machine has kept it
// waiting: a busy host takes an emulator's processor away. Where instructions are counted, the
// count tells the two apart. A run that has executed too few to have gone astray is waited for,
// and from then on the count bounds it. Nothing of this is done while a run is in time.
//
// Invariant: every wait ends. A run is waited for once, and that time is bounded, too, as a counter
// may lie or not count the iterations of a repeated instruction.
#pragma once

#include <cstdint>

#include "libdwc/core.hpp"

namespace dwc {

template <Core C>
class Patience {
public:
  explicit Patience(C& core) : core_{core} {}

  // A second run begins. The first one has executed so many instructions.
  void begin_run(std::uint64_t first_count) {
    first_count_ = first_count;
    spent_ = false;
    bound_ = 0;
  }

  // Whether this run has not been waited for yet.
  [[nodiscard]] bool is_left() const { return !spent_; }
  void spend() { spent_ = true; }

  // Whether the run has executed no more than a healthy one may.
  [[nodiscard]] bool on_its_way() { return core_.count() < most_instructions(); }
  // From now on the counter stops it where it has gone astray.
  void bound_by_count() {
    bound_ = most_instructions();
    core_.stop_at_count(bound_);
  }
  // The counter has stopped the run. A stale stop is not the bound, which stays.
  [[nodiscard]] bool out_of_bounds() {
    if (bound_ == 0) return false;
    const bool beyond = core_.count() >= bound_;
    if (!beyond) core_.stop_at_count(bound_);
    return beyond;
  }
  // The run is over. Its bound must not stop the next one.
  void end_run() {
    if (bound_ != 0) core_.stop_at_count(0);
    bound_ = 0;
  }

private:
  // A healthy run executes as many as the first one, and its interrupts may add to the count. Twice
  // as many is far from both.
  [[nodiscard]] std::uint64_t most_instructions() const {
    const Counter counter = core_.counter();
    return 2 * first_count_ + counter.margin + counter.tolerance;
  }

  C& core_;
  std::uint64_t first_count_ = 0;
  std::uint64_t bound_ = 0;  // instructions; 0: none
  bool spent_ = false;
};

}  // namespace dwc
