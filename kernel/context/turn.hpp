// Where a context stands among the others: its priority, and its place in the queue of its equals.
// Numbers only; kernel/schedule/scheduler.hpp says what follows from them.
#pragma once

#include <cstdint>

#include "kernel/base/arithmetic.hpp"

namespace reprise {

class Turn {
public:
  explicit constexpr Turn(unsigned priority) : priority_{priority} {}

  // Whether this context runs before the other when both can.
  [[nodiscard]] constexpr bool precedes(const Turn& other) const {
    return priority_ != other.priority_ ? priority_ > other.priority_ : queued_ < other.queued_;
  }
  // The PE under way is its turn's last, whatever is left of it.
  constexpr void give_up() { given_up_ = true; }
  constexpr void spend(std::uint64_t time) { spent_ += static_cast<std::int64_t>(time); }
  // A PE is over. Its turn is over, too, when the turn's length is spent to the nearest PE: then
  // the context goes to the end of its queue, and the time it had too little or too much counts in
  // its next turn. A turn that a higher context cut short keeps its place and the rest.
  constexpr void end_element(std::uint64_t length, std::uint64_t pe_length, std::uint64_t& clock) {
    const std::int64_t over = spent_ - static_cast<std::int64_t>(length);
    if (!given_up_ && over + static_cast<std::int64_t>(pe_length / 2) < 0) return;
    spent_ = given_up_ ? larger<std::int64_t>(over, 0) : over;
    given_up_ = false;
    ++clock;
    queued_ = clock;
  }

private:
  unsigned priority_;
  bool given_up_ = false;
  std::int64_t spent_ = 0;    // of this turn, nanoseconds
  std::uint64_t queued_ = 0;  // when its last turn ended, by the scheduler's count of turns
};

}  // namespace reprise
