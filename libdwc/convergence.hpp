// Leads a run to a target position: where the time limit ended the first run, or, later, where a
// log says that a PE ended. A position is the target if registers and pages equal the target's, and
// for no other reason. The counter and the addresses only say where to look:
//
//   with a counter     run at full speed until `margin` before the target's count, then step:
//                      at each instruction compare RIP, then the words that traps keep, and only
//                      then everything (the caller does that)
//   without (landmark) run from one arrival at the target's RIP to the next, and look at each
//   with a counter, where the context cannot be stepped
//                      run at full speed until `margin` before, then from arrival to arrival
//
// Invariant: every search ends. Steps, arrivals and early overflows are counted down, and time is
// bounded. The counter is read where the search begins to step, and not at each step. A single step
// is an interrupt, and real counters count some of those, too.
#pragma once

#include "libdwc/caution.hpp"
#include "libdwc/comparator.hpp"

namespace dwc {

// Where a run is to be led.
template <Core C>
struct TargetPosition {
  const typename C::Registers* registers = nullptr;  // must stay as they are during the search
  std::uint64_t count = 0;                           // instructions from R0: a hint
};

template <Core C>
class Convergence {
public:
  using Registers = typename C::Registers;

  enum class Position : std::uint8_t {
    Elsewhere,  // the run goes on; where it has to stop next is armed
    Candidate,  // RIP and trap words are right: compare all; if unequal, load, then go_on()
    Missed,     // the search is over and has found nothing
  };
  enum class Guide : std::uint8_t { Counter, Landmark };

  Convergence(C& core, Statistics& statistics, const Caution& caution)
      : core_{core}, statistics_{statistics}, caution_{caution} {}

  // The run is loaded at R0. It may run for at most `bound` ticks without a stop.
  [[nodiscard]] Position begin(const TargetPosition<C>& target, std::uint64_t bound, Guide guide) {
    target_ = target;
    bound_ = bound;
    early_left_ = most_early;
    steps_ = 0;
    nearest_ = nowhere;
    covered_ = true;
    if (guide == Guide::Landmark) {
      return search(Phase::Arriving, caution_.widened(landmark_arrivals, Caution::most_arrivals));
    }
    if (target.count <= margin()) return search_near(0);
    phase_ = Phase::Running;
    core_.stop_at_count(target.count - margin());
    return Position::Elsewhere;
  }

  // Something that this class has armed stopped the run, or a stale event of that kind did.
  [[nodiscard]] Position stopped() {
    if (phase_ == Phase::Running) return arrive();
    const bool beyond = phase_ == Phase::Nearby && core_.count() >= target_.count + window();
    return beyond ? Position::Missed : look();
  }

  // From a position that is not the target, or after something else was served.
  [[nodiscard]] Position go_on() {
    if (phase_ == Phase::Running) return Position::Elsewhere;
    const bool stepping = phase_ == Phase::Stepping;
    if (tries_left_ == 0) {
      covered_ = covered_ && phase_ != Phase::Arriving;
      return Position::Missed;
    }
    --tries_left_;
    ++steps_;
    if (stepping && steps_ % steps_per_bound == 0) core_.arm_timer(bound_);
    if (stepping || core_.repeats()) core_.step(*target_.registers);
    return Position::Elsewhere;
  }

  // When time is up: whether the run can still come to its target, by the counter or in steps. Both
  // are bounded by other things than time.
  [[nodiscard]] bool on_its_way() {
    if (phase_ == Phase::Arriving) return false;
    return phase_ == Phase::Stepping || core_.count() <= target_.count + window();
  }
  // From wherever the timer has stopped the run, which nobody has looked at yet. From now on it may
  // run for `bound` ticks without a stop.
  [[nodiscard]] Position go_on_for(std::uint64_t bound) {
    bound_ = bound;
    core_.arm_timer(bound_);
    return stopped();
  }

  // At a position that was found without the counter: whether the counter's value proves it wrong.
  // It proves nothing where the run still is as it began, as a loop that changes nothing has any
  // count.
  [[nodiscard]] bool counter_is_off() const {
    if (phase_ != Phase::Arriving || steps_ == 0 || !core_.counter().counts) return false;
    const std::uint64_t here = core_.count();
    return (here > target_.count ? here - target_.count : target_.count - here) > tolerance();
  }

  // The run has ended in another way, before it came to the target.
  void interrupted() {
    if (phase_ == Phase::Running) covered_ = core_.count() + tolerance() < target_.count;
  }

  // The search is over, with or without success. Nothing that it has armed may stop the next run.
  void end() {
    if (phase_ == Phase::Running || phase_ == Phase::Nearby) core_.stop_at_count(0);
    if (phase_ != Phase::Running) core_.break_at(std::nullopt);
    statistics_.steps += steps_;
  }

  // If the counter is right, the search looked at every place where the target could be, or the run
  // ended before it came there.
  [[nodiscard]] bool covered() const { return covered_; }
  // A position with the right RIP was seen.
  [[nodiscard]] bool came_near() const { return nearest_ != nowhere; }
  // The trap words that differ at the nearest of these positions; none at a candidate.
  [[nodiscard]] const Shortlist<WordDifference>& nearest_differences() const {
    return nearest_differences_;
  }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] bool stepping() const {
    return phase_ == Phase::Stepping || phase_ == Phase::Nearby;
  }

  // How many instructions before the target the counter stops the run.
  [[nodiscard]] std::uint64_t margin() const {
    const std::uint64_t announced = core_.counter().margin;
    return caution_.widened(announced < least_margin ? least_margin : announced);
  }

private:
  // Of a search under way. The controller's state says whether there is one.
  enum class Phase : std::uint8_t {
    Running,   // at full speed, up to the margin
    Stepping,  // from there on, instruction by instruction
    Nearby,    // or, instead, from arrival to arrival until the counter is beyond
    Arriving,  // without a counter
  };

  static constexpr std::size_t nowhere = ~std::size_t{0};

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
    core_.break_at(target_.registers->words()[C::rip_word]);
    return look();
  }

  // At the overflow. A stale one comes long before it is due, and is asked for again. A late one
  // leaves fewer positions to look at, or none.
  [[nodiscard]] Position arrive() {
    const std::uint64_t count = core_.count();
    if (count < target_.count - margin()) return arrived_early();
    if (count > target_.count + window()) return give_up();
    core_.stop_at_count(0);
    core_.arm_timer(bound_);
    covered_ = count + tolerance() <= target_.count;
    return search_near(count);
  }

  // From `count` on, which is close to the target's.
  [[nodiscard]] Position search_near(std::uint64_t count) {
    const std::uint64_t end = target_.count + window();
    if (core_.single_steps()) return search(Phase::Stepping, end - count);
    core_.stop_at_count(end);
    return search(Phase::Nearby, end - count);
  }

  [[nodiscard]] Position arrived_early() {
    if (early_left_ == 0) return give_up();
    --early_left_;
    core_.stop_at_count(target_.count - margin());
    return Position::Elsewhere;
  }

  // The counter does not help in this run.
  [[nodiscard]] Position give_up() {
    covered_ = false;
    return Position::Missed;
  }

  [[nodiscard]] Position look() {
    const Registers& live = core_.registers();
    const Registers& target = *target_.registers;
    if (live.words()[C::rip_word] != target.words()[C::rip_word]) return go_on();
    const std::size_t differing = trap_words_apart<C>(target, live);
    if (differing < nearest_) {
      nearest_ = differing;
      nearest_differences_ =
          differing_words(target.words().first(C::trap_words), live.words().first(C::trap_words));
    }
    if (differing != 0) return go_on();
    ++statistics_.candidates;
    return Position::Candidate;
  }

  C& core_;
  Statistics& statistics_;
  const Caution& caution_;

  Phase phase_ = Phase::Running;
  TargetPosition<C> target_;
  std::uint64_t bound_ = 0;
  std::uint64_t tries_left_ = 0;
  std::uint64_t steps_ = 0;
  std::size_t nearest_ = nowhere;  // fewest differing trap words where RIP was right
  Shortlist<WordDifference> nearest_differences_;
  unsigned early_left_ = 0;
  bool covered_ = false;
};

}  // namespace dwc
