// Brings the second run to the position at which the time limit ended the first one. A position is
// right when registers and pages equal the first run's, and for no other reason; the counter and
// the addresses only say where it is worth to look:
//
//   with a counter     run at full speed until `margin` before the first run's count, then step:
//                      at each instruction compare RIP, then the words that traps keep, and only
//                      then everything (the controller does that)
//   without (landmark) run from one arrival at the first run's RIP to the next, and look at each
//
// Invariant: every search ends. Steps, arrivals and early overflows are counted down, and time is
// bounded. What the counter says is read twice in a PE: a step is one instruction on any machine.
#pragma once

#include "libdwc/caution.hpp"
#include "libdwc/comparator.hpp"

namespace dwc {

template <Space S, Core C>
class Convergence {
public:
  using Registers = typename C::Registers;

  enum class Position : std::uint8_t {
    Elsewhere,  // the run goes on; where it has to stop next is armed
    Candidate,  // RIP and trap words are right: compare everything; if unequal, load, then go_on()
    Missed,     // the search is over and has found nothing
  };
  enum class Guide : std::uint8_t { Counter, Landmark };

  Convergence(C& core, Statistics& statistics, Comparator<S>& comparator, const Caution& caution)
      : core_{core}, statistics_{statistics}, comparator_{comparator}, caution_{caution} {}

  // The second run stands loaded at R0 and shall come to `target`, `count` instructions from there.
  // `bound` ticks are the longest that it may go without a stop. The target must stay as it is.
  [[nodiscard]] Position begin(const Registers& target, std::uint64_t count, std::uint64_t bound,
                               Guide guide) {
    target_ = &target;
    count_ = count;
    bound_ = bound;
    early_left_ = most_early;
    steps_ = 0;
    nearest_ = ~std::size_t{0};
    covered_ = true;
    if (guide == Guide::Landmark) {
      return search(Phase::Landmark, caution_.widened(landmark_arrivals));
    }
    if (count <= margin()) return search(Phase::Stepping, count + window());
    phase_ = Phase::Running;
    core_.stop_at_count(count - margin());
    return Position::Elsewhere;
  }

  // The run was stopped by what this class has armed, or by a stale event of that kind.
  [[nodiscard]] Position stopped() {
    if (phase_ == Phase::Idle) return Position::Elsewhere;
    return phase_ == Phase::Running ? arrive() : look();
  }

  // From a position that is not the target, or after something else was served.
  [[nodiscard]] Position go_on() {
    if (phase_ == Phase::Idle || phase_ == Phase::Running) return Position::Elsewhere;
    const bool stepping = phase_ == Phase::Stepping;
    if (tries_left_ == 0) {
      covered_ = covered_ && stepping;
      return Position::Missed;
    }
    --tries_left_;
    ++steps_;
    if (stepping && steps_ % steps_per_bound == 0) core_.arm_timer(bound_);
    if (stepping || core_.repeats()) core_.step(*target_);
    return Position::Elsewhere;
  }

  // At a position that was found without the counter: what it says there proves it wrong. Not so
  // where the run stands as it began: a loop that changes nothing has any count.
  [[nodiscard]] bool counter_is_off() const {
    if (phase_ != Phase::Landmark || steps_ == 0 || !core_.counter().counts) return false;
    const std::uint64_t here = core_.count();
    return (here > count_ ? here - count_ : count_ - here) > tolerance();
  }

  // The second run is over, converged or not: nothing of this class may stop the next one.
  void end() {
    if (phase_ == Phase::Idle) return;
    if (phase_ == Phase::Running) {
      covered_ = core_.count() + tolerance() < count_;
      core_.stop_at_count(0);
    } else {
      core_.break_at(std::nullopt);
    }
    phase_ = Phase::Idle;
    statistics_.steps += steps_;
  }

  // After end(): every place where the target could be, by the counter's word, was looked at, or
  // the run ended before it came there.
  [[nodiscard]] bool covered() const { return covered_; }
  // A position with the right RIP was seen; the diagnosis has the one with the fewest other words.
  [[nodiscard]] bool came_near() const { return nearest_ != ~std::size_t{0}; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] bool stepping() const { return phase_ == Phase::Stepping; }

  // How much before the target the counter stops the run.
  [[nodiscard]] std::uint64_t margin() const {
    const std::uint64_t announced = core_.counter().margin;
    return caution_.widened(announced < least_margin ? least_margin : announced);
  }

private:
  enum class Phase : std::uint8_t { Idle, Running, Stepping, Landmark };

  static constexpr std::uint64_t least_margin = 4;
  static constexpr std::uint64_t least_window = 16;
  static constexpr std::uint64_t landmark_arrivals = 256;
  static constexpr std::uint64_t steps_per_bound = 64;
  static constexpr unsigned most_early = 16;  // overflows long before they are due

  [[nodiscard]] std::uint64_t tolerance() const { return core_.counter().tolerance; }
  // How far beyond the target's count the search goes.
  [[nodiscard]] std::uint64_t window() const {
    return tolerance() + caution_.widened(least_window);
  }

  [[nodiscard]] Position search(Phase phase, std::uint64_t tries) {
    phase_ = phase;
    tries_left_ = tries;
    core_.break_at(target_->words()[C::rip_word]);
    return look();
  }

  // The overflow. A stale one comes long before it is due: then it is asked for again. A late one
  // leaves less to look at, or nothing.
  [[nodiscard]] Position arrive() {
    const std::uint64_t count = core_.count();
    if (count < count_ - margin()) {
      if (early_left_-- == 0) return give_up();
      core_.stop_at_count(count_ - margin());
      return Position::Elsewhere;
    }
    if (count > count_ + window()) return give_up();
    core_.stop_at_count(0);
    core_.arm_timer(bound_);
    covered_ = count + tolerance() <= count_;
    return search(Phase::Stepping, count_ + window() - count);
  }

  // The counter is of no use in this run.
  [[nodiscard]] Position give_up() {
    core_.stop_at_count(0);
    phase_ = Phase::Idle;
    covered_ = false;
    return Position::Missed;
  }

  [[nodiscard]] Position look() {
    const Registers& live = core_.registers();
    if (live.words()[C::rip_word] != target_->words()[C::rip_word]) return go_on();
    const std::size_t differing = trap_words_apart<C>(*target_, live);
    if (differing < nearest_) {
      nearest_ = differing;
      (void)comparator_.registers_agree(target_->words().first(C::trap_words),
                                        live.words().first(C::trap_words));
    }
    if (differing != 0) return go_on();
    ++statistics_.candidates;
    return Position::Candidate;
  }

  C& core_;
  Statistics& statistics_;
  Comparator<S>& comparator_;
  const Caution& caution_;

  Phase phase_ = Phase::Idle;
  const Registers* target_ = nullptr;  // R1
  std::uint64_t count_ = 0;            // the first run's: a hint
  std::uint64_t bound_ = 0;
  std::uint64_t tries_left_ = 0;
  std::uint64_t steps_ = 0;
  std::size_t nearest_ = 0;  // fewest differing trap words where RIP was right
  unsigned early_left_ = 0;
  bool covered_ = false;
};

}  // namespace dwc
