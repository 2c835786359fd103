// The smaller and the larger of two values. <algorithm> has them too, but is no freestanding
// header: a bare-metal compiler need not have it.
#pragma once

namespace reprise {

template <class T>
[[nodiscard]] constexpr T smaller(T a, T b) {
  return b < a ? b : a;
}
template <class T>
[[nodiscard]] constexpr T larger(T a, T b) {
  return a < b ? b : a;
}

}  // namespace reprise
