// What CPUID tells the guest: the machine's own answers, less all that the monitor does not model
// or that two runs might do differently. Leaves, and features of a register, that are not listed
// here are hidden. Sources: Intel SDM Vol. 2A, CPUID; AMD APM Vol. 3, Appendix E.
#pragma once

#include <cstdint>

namespace monitor {

struct CpuidWords {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  friend bool operator==(const CpuidWords&, const CpuidWords&) = default;
};

// Source: cpuid(leaf, subleaf) -> CpuidWords of the machine.
class CpuidPolicy {
public:
  static constexpr std::uint32_t last_basic = 7, extended = 0x80000000, last_extended = 0x80000008;

  template <class Source>
  [[nodiscard]] static CpuidWords answer(std::uint32_t leaf, std::uint32_t subleaf,
                                         Source&& source) {
    const bool is_extended = leaf >= extended;
    const std::uint32_t last = source(is_extended ? extended : 0, 0).eax;
    if (leaf > last) return {};
    return restrict_leaf(leaf, subleaf, source(leaf, subleaf));
  }

private:
  [[nodiscard]] static CpuidWords restrict_leaf(std::uint32_t leaf, std::uint32_t subleaf,
                                                const CpuidWords& machine);
};

}  // namespace monitor
