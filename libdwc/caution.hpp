// What the engine has learned about the machine's hints: how much earlier than announced it starts
// to look for a position, and how much shorter it makes the time limit. Kept from PE to PE, since
// what made one search fail will make the next one fail; forgotten bit by bit when all goes well.
#pragma once

#include <cstdint>

namespace dwc {

class Caution {
public:
  static constexpr std::uint64_t most = 1 << 16;     // no margin is widened beyond it
  static constexpr unsigned most_halvings = 6;       // down to a 64th of the limit
  static constexpr unsigned good_ones_to_ease = 64;  // convergences in a row

  // Four times the amount for each failure.
  [[nodiscard]] std::uint64_t widened(std::uint64_t amount) const {
    const std::uint64_t wide = amount << 2 * widenings_;
    if (wide < most) return wide;
    return amount < most ? most : amount;
  }
  [[nodiscard]] std::uint64_t shortened(std::uint64_t limit) const {
    return limit > 1 ? ((limit - 1) >> halvings_) + 1 : limit;
  }

  void widen() {
    widenings_ += widenings_ < 8 ? 1 : 0;
    good_ones_ = 0;
  }
  // False: the limit is as short as it gets.
  [[nodiscard]] bool halve_limit() {
    if (halvings_ == most_halvings) return false;
    ++halvings_;
    good_ones_ = 0;
    return true;
  }
  void converged() {
    if (++good_ones_ % good_ones_to_ease != 0) return;
    widenings_ -= widenings_ > 0 ? 1 : 0;
    lengthen_limit();
  }
  void lengthen_limit() { halvings_ -= halvings_ > 0 ? 1 : 0; }

private:
  unsigned widenings_ = 0;
  unsigned halvings_ = 0;
  unsigned good_ones_ = 0;
};

}  // namespace dwc
