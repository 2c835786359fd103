// Minimum, maximum and bounds, and ratios of large numbers. <algorithm> is not a freestanding
// header, so a bare-metal compiler need not have it.
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

// `low` and `high` count as between.
template <class T>
[[nodiscard]] constexpr bool is_between(std::type_identity_t<T> low, T value,
                                        std::type_identity_t<T> high) {
  return low <= value && value <= high;
}

// ticks * hertz / of. Exact for every `ticks` if of * hertz fits into 64 bits. 0 if `of` is 0.
[[nodiscard]] constexpr std::uint64_t scale(std::uint64_t ticks, std::uint64_t hertz,
                                            std::uint64_t of) {
  return of == 0 ? 0 : ticks / of * hertz + ticks % of * hertz / of;
}

}  // namespace reprise
