// Where a process stands among the others: its priority, and its place in the queue of its equals.
// Numbers only; scheduler.hpp says what comes of them.
#pragma once

#include <cstdint>

#include "kernel/base/arithmetic.hpp"

namespace reprise {

class Turn {
public:
  explicit constexpr Turn(unsigned priority) : priority_{priority} {}

  // Whether this process runs before the other when both can. Of equals in all, the first given.
  [[nodiscard]] constexpr bool precedes(const Turn& other) const {
    return priority_ != other.priority_ ? priority_ > other.priority_ : queued_ < other.queued_;
  }
  // The PE under way is its turn's last, whatever is left of it.
  constexpr void give_up() { given_up_ = true; }
  constexpr void spend(std::uint64_t time) { spent_ += static_cast<std::int64_t>(time); }
  // A PE is over, and with it the turn, when its length is spent to the nearest PE: then the
  // process goes to the end of its queue, and what it had too little or too much of counts in its
  // next turn. A turn that a higher process cut short keeps its place and the rest.
  constexpr void settle(std::uint64_t length, std::uint64_t pe_length, std::uint64_t& clock) {
    const std::int64_t over = spent_ - static_cast<std::int64_t>(length);
    if (!given_up_ && over + static_cast<std::int64_t>(pe_length / 2) < 0) return;
    spent_ = given_up_ ? larger<std::int64_t>(over, 0) : over;
    given_up_ = false;
    queued_ = ++clock;
  }

private:
  unsigned priority_;
  bool given_up_ = false;
  std::int64_t spent_ = 0;    // of this turn, nanoseconds
  std::uint64_t queued_ = 0;  // when its last turn ended, by the scheduler's count of turns
};

}  // namespace reprise
