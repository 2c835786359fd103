// What CPUID tells the guest: the machine's own answers, less all that the monitor does not model
// or that two runs might do differently. AVX and what builds on it depend on the components of the
// extended state that are offered. Leaves, and features of a register, that are not listed
// here are hidden. Sources: Intel SDM Vol. 2A, CPUID; AMD APM Vol. 3, Appendix E.
#pragma once

#include <cstdint>

#include "user/monitor/extended_state.hpp"

namespace monitor {

struct CpuidWords {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  friend bool operator==(const CpuidWords&, const CpuidWords&) = default;
};

// Source: cpuid(leaf, subleaf) -> CpuidWords of the machine.
class CpuidPolicy {
public:
  // The last basic leaf is XSAVE's, where that is offered.
  static constexpr std::uint32_t last_basic = 7, xsave_leaf = 0xd, extended = 0x80000000,
                                 last_extended = 0x80000008;

  template <class Source>
  [[nodiscard]] static CpuidWords answer(std::uint32_t leaf, std::uint32_t subleaf,
                                         const ExtendedState& state, Source&& source) {
    const bool is_extended = leaf >= extended;
    const std::uint32_t last = source(is_extended ? extended : 0, 0).eax;
    if (leaf > last) return {};
    if (leaf == xsave_leaf && subleaf == 0) {
      return {.eax = static_cast<std::uint32_t>(state.offered),
              .ebx = bytes_of(state.enabled & state.offered, source),
              .ecx = bytes_of(state.offered, source)};
    }
    return restrict_leaf(leaf, subleaf, state, source(leaf, subleaf));
  }
  // Whether the guest's own state is needed for the answer: the caller has to fetch it then.
  [[nodiscard]] static bool depends_on_state(std::uint32_t leaf) {
    return leaf == 1 || leaf == xsave_leaf;
  }

private:
  // Of an XSAVE area with these components.
  template <class Source>
  [[nodiscard]] static std::uint32_t bytes_of(std::uint64_t components, Source&& source) {
    constexpr std::uint32_t legacy_and_header = 576, first_beyond = 2, last_beyond = 63;
    if (components == 0) return 0;
    std::uint32_t bytes = legacy_and_header;
    for (std::uint32_t i = first_beyond; i < last_beyond; ++i) {
      if ((components >> i & 1) == 0) continue;
      const CpuidWords place = source(xsave_leaf, i);
      if (place.ebx + place.eax > bytes) bytes = place.ebx + place.eax;
    }
    return bytes;
  }
  [[nodiscard]] static CpuidWords restrict_leaf(std::uint32_t leaf, std::uint32_t subleaf,
                                                const ExtendedState& state,
                                                const CpuidWords& machine);
};

}  // namespace monitor
