// See extended_state.hpp.
#include "user/monitor/extended_state.hpp"

namespace monitor {
namespace {

constexpr std::uint64_t cr4_osxsave = 1 << 18;

// AVX-512 is three components that are of use only together, and each later one needs the earlier.
bool is_valid(std::uint64_t components) {
  const auto has = [components](std::uint64_t all) { return (components & all) == all; };
  if (!has(component_x87)) return false;
  if ((components & component_avx) != 0 && !has(component_sse)) return false;
  const bool any_avx512 = (components & components_avx512) != 0;
  return !any_avx512 || has(components_avx512 | component_avx);
}

}  // namespace

ExtendedState extended_state(std::uint64_t machine, const reprise_guest_state& state) {
  constexpr std::uint64_t known = component_x87 | component_sse | component_avx | components_avx512;
  return {
      .offered = machine & known, .enabled = state.xcr0, .is_on = (state.cr4 & cr4_osxsave) != 0};
}

XsetbvEffect carry_out_xsetbv(std::uint32_t number, std::uint64_t value,
                              const ExtendedState& extended, reprise_guest_state& state) {
  if (extended.offered == 0 || !extended.is_on) return XsetbvEffect::Undefined;
  const bool allowed = state.cpl == 0 && number == 0 && is_valid(value) && extended.offers(value);
  if (!allowed) return XsetbvEffect::Refused;
  state.xcr0 = value;
  return XsetbvEffect::StateChanged;
}

}  // namespace monitor
