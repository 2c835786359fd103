// What the engine has learned about the core's hints. Two things follow from it: how much earlier
// than announced the search for a position begins, and how much shorter the time limit is. It is
// kept from PE to PE, because what made one search fail makes the next one fail, too. Good searches
// undo it step by step.
#pragma once

#include <cstdint>

namespace dwc {

class Caution {
public:
  static constexpr std::uint64_t most = 1 << 16;  // no margin is widened beyond it
  // Nor a number of arrivals: the second run's time ends sooner. An interrupt that a busy host
  // delivers late can leave hundreds of thousands of them.
  static constexpr std::uint64_t most_arrivals = 1 << 22;
  static constexpr unsigned most_halvings = 6;       // down to a 64th of the limit
  static constexpr unsigned good_ones_to_ease = 64;  // convergences in a row

  // The amount times four for each widening, up to `limit`.
  [[nodiscard]] std::uint64_t widened(std::uint64_t amount, std::uint64_t limit = most) const {
    const std::uint64_t wide = amount << 2 * widenings_;
    if (wide < limit) return wide;
    return amount < limit ? limit : amount;
  }
  [[nodiscard]] std::uint64_t shortened(std::uint64_t limit) const {
    return limit > 1 ? ((limit - 1) >> halvings_) + 1 : limit;
  }

  void widen() {
    if (widenings_ < most_widenings) ++widenings_;
    good_ones_ = 0;
  }
  // How often the limit can be halved before it is as short as it gets.
  [[nodiscard]] unsigned halvings_left() const { return most_halvings - halvings_; }
  // `times` is at most halvings_left().
  void halve_limit(unsigned times) {
    if (times == 0) return;
    halvings_ += times;
    good_ones_ = 0;
  }
  void converged() {
    ++good_ones_;
    if (good_ones_ % good_ones_to_ease != 0) return;
    if (widenings_ > 0) --widenings_;
    lengthen_limit();
  }
  void lengthen_limit() {
    if (halvings_ > 0) --halvings_;
  }

private:
  static constexpr unsigned most_widenings = 8;  // 4 to the 8th is `most`

  unsigned widenings_ = 0;
  unsigned halvings_ = 0;
  unsigned good_ones_ = 0;
};

}  // namespace dwc
