// The components of the extended state as bits, as in XCR0, and which of them go together (Intel
// SDM Vol. 1 §13.3). Ring 0 must not load another value for a guest, and the guest's monitor must
// refuse it, so both look here.
#pragma once

#include <cstdint>

namespace reprise {

// Avx512 is three components: opmask, ZMM_Hi256 and Hi16_ZMM. They are of use only together.
struct ExtendedComponents {
  static constexpr std::uint64_t X87 = 1 << 0, Sse = 1 << 1, Avx = 1 << 2, Avx512 = 7 << 5;
};

// Whether a CPU that offers `offered` takes `components` for XCR0. Each later component needs the
// earlier.
[[nodiscard]] constexpr bool valid_components(std::uint64_t components, std::uint64_t offered) {
  using C = ExtendedComponents;
  const auto has = [components](std::uint64_t all) { return (components & all) == all; };
  if ((components & ~offered) != 0 || !has(C::X87)) return false;
  if (has(C::Avx) && !has(C::Sse)) return false;
  const bool any_avx512 = (components & C::Avx512) != 0;
  return !any_avx512 || has(C::Avx512 | C::Avx);
}

}  // namespace reprise
