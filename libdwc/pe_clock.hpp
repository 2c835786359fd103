// A PE's time: where it goes, phase by phase, and how long each of its runs may take.
#pragma once

#include "libdwc/caution.hpp"
#include "libdwc/core.hpp"
#include "libdwc/interface.hpp"
#include "libdwc/pace.hpp"

namespace dwc {

template <Core C>
class PeClock {
public:
  PeClock(C& core, const Settings& settings, const Caution& caution, const Pace& pace)
      : core_{core}, settings_{settings}, caution_{caution}, pace_{pace} {}

  void begin_pe() { began_ = lap_began_ = core_.now(); }
  void begin_first_run() {
    first_run_ticks_ = 0;
    first_run_began_ = lap_began_;
  }
  void first_run_took(std::uint64_t user_time) { first_run_ticks_ += user_time; }

  // Ticks since the last lap: each phase ends by taking its own.
  [[nodiscard]] std::uint64_t lap() {
    const std::uint64_t ticks = core_.now() - lap_began_;
    lap_began_ += ticks;
    return ticks;
  }
  // From the PE's begin to the last lap.
  [[nodiscard]] std::uint64_t took() const { return lap_began_ - began_; }

  [[nodiscard]] std::uint64_t first_run_limit() const { return caution_.shortened(pace_.limit()); }

  // What is left of a first run that stands at its last lap. The timer has run in write faults,
  // too. A fixed limit counts them; one that follows from the latency leaves them to
  // Pace::is_over().
  [[nodiscard]] std::uint64_t first_run_left() const { return left_of(first_run_limit()); }

  // Whether the run ends at its next write fault, with so many pages to rewind and compare. The
  // timer alone would not end a run in which each instruction faults: it gives time for each.
  [[nodiscard]] bool first_run_is_over(std::size_t pages) const {
    const std::uint64_t limit = first_run_limit();
    if (limit == 0) return false;
    return left_of(limit) == 0 || pace_.is_over(with_faults() + first_run_ticks_, pages);
  }

  // Time for one more instruction of a first run whose time is over. It is little, but doubles each
  // time, because it may have been too little. 0: the instruction has had enough.
  void expect_instruction() { more_time_ = first_run_limit() / 512 + 1; }
  [[nodiscard]] std::uint64_t more_time() {
    if (more_time_ > first_run_limit() / 4) return 0;
    more_time_ *= 2;
    return more_time_;
  }

  // A second run does the same work as the first, but finds caches and translations cold. A machine
  // that is itself interrupted may need longer. So each restart gives four times the slack, up to
  // 64 times: a loop still ends, and a slow run is not taken for a loop for ever. Where nothing
  // counts instructions, time says less: there each restart gives sixteen times the slack. A
  // counter says more than time does (patience.hpp).
  [[nodiscard]] std::uint64_t second_run_limit(std::uint32_t restarts) const {
    const unsigned doublings = core_.counter().counts ? 2 : 4;
    return limit_after(doublings * (restarts < growing_restarts ? restarts : growing_restarts));
  }
  // A search that is late. Its steps may each be a long repetition, so this is bounded by less.
  [[nodiscard]] std::uint64_t late_search_limit() const { return limit_after(5); }
  // With all patience.
  [[nodiscard]] std::uint64_t longest_second_run() const {
    return limit_after(4 * growing_restarts);
  }

private:
  static constexpr std::uint32_t growing_restarts = 3;

  [[nodiscard]] std::uint64_t limit_after(unsigned doublings) const {
    return 4 * first_run_ticks_ + (settings_.second_run_slack_ticks << doublings);
  }

  [[nodiscard]] std::uint64_t left_of(std::uint64_t limit) const {
    const std::uint64_t taken = pace_.limit_is_fixed() ? with_faults() : first_run_ticks_;
    return taken < limit ? limit - taken : 0;
  }

  [[nodiscard]] std::uint64_t with_faults() const { return lap_began_ - first_run_began_; }

  C& core_;
  const Settings& settings_;
  const Caution& caution_;
  const Pace& pace_;
  std::uint64_t first_run_ticks_ = 0;
  std::uint64_t first_run_began_ = 0;
  std::uint64_t more_time_ = 0;
  std::uint64_t began_ = 0;
  std::uint64_t lap_began_ = 0;
};

}  // namespace dwc
