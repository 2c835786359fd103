// Arithmetic that <algorithm> has, too, but that is no freestanding header: a bare-metal compiler
// need not have it. And ratios of large numbers.
#pragma once

#include <cstdint>
#include <type_traits>

namespace reprise {

template <class T>
[[nodiscard]] constexpr T smaller(T a, T b) {
  return b < a ? b : a;
}
template <class T>
[[nodiscard]] constexpr T larger(T a, T b) {
  return a < b ? b : a;
}

// Both ends included.
template <class T>
[[nodiscard]] constexpr bool is_between(std::type_identity_t<T> low, T value,
                                        std::type_identity_t<T> high) {
  return low <= value && value <= high;
}

// ticks * hertz / of, exact as long as of * hertz fits into 64 bits, whatever `ticks` is.
[[nodiscard]] constexpr std::uint64_t scale(std::uint64_t ticks, std::uint64_t hertz,
                                            std::uint64_t of) {
  return of == 0 ? 0 : ticks / of * hertz + ticks % of * hertz / of;
}

}  // namespace reprise
