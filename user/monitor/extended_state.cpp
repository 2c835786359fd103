// See extended_state.hpp.
#include "user/monitor/extended_state.hpp"

namespace monitor {
namespace {

constexpr std::uint64_t cr4_osxsave = 1 << 18;

}  // namespace

ExtendedState extended_state(std::uint64_t machine, const reprise_guest_state& state) {
  constexpr std::uint64_t known =
      Components::X87 | Components::Sse | Components::Avx | Components::Avx512;
  return {
      .offered = machine & known, .enabled = state.xcr0, .is_on = (state.cr4 & cr4_osxsave) != 0};
}

XsetbvEffect carry_out_xsetbv(std::uint32_t number, std::uint64_t value,
                              const ExtendedState& extended, reprise_guest_state& state) {
  if (extended.offered == 0 || !extended.is_on) return XsetbvEffect::Undefined;
  const bool allowed =
      state.cpl == 0 && number == 0 && reprise::valid_components(value, extended.offered);
  if (!allowed) return XsetbvEffect::Refused;
  state.xcr0 = value;
  return XsetbvEffect::StateChanged;
}

}  // namespace monitor
