// Seeded random numbers: the same seed gives the same numbers in every run and boot.
#pragma once

#include <cstddef>
#include <cstdint>

class Random {
public:
  explicit Random(std::uint64_t seed) : state_{seed * 0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d} {
    if (state_ == 0) state_ = 1;
    for (int i = 0; i < 8; ++i) next();
  }
  std::uint64_t next() {  // xorshift64*
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1d;
  }
  std::uint64_t below(std::uint64_t end) { return (next() >> 32) * end >> 32; }
  bool once_in(std::uint64_t times) { return below(times) == 0; }
  template <class T, std::size_t N>
  const T& of(const T (&table)[N]) {
    return table[below(N)];
  }

private:
  std::uint64_t state_;
};
