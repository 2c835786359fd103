// The features that CPUID can announce and the kernel looks at (Intel SDM Vol. 2A, CPUID). The
// names stand in the message about what is missing.
#pragma once

#include <string_view>

#include "arch/x86_64/instructions.hpp"

namespace arch::x86 {

struct Feature {
  std::string_view name;
  std::uint32_t leaf;
  std::uint32_t CpuidResult::*where;
  unsigned position;
};

namespace feature {
inline constexpr Feature msr{"msr", 1, &CpuidResult::edx, 5};
inline constexpr Feature mce{"mce", 1, &CpuidResult::edx, 7};
inline constexpr Feature apic{"apic", 1, &CpuidResult::edx, 9};
inline constexpr Feature pge{"pge", 1, &CpuidResult::edx, 13};
inline constexpr Feature mca{"mca", 1, &CpuidResult::edx, 14};
inline constexpr Feature pat{"pat", 1, &CpuidResult::edx, 16};
inline constexpr Feature fxsr{"fxsr", 1, &CpuidResult::edx, 24};
inline constexpr Feature sse2{"sse2", 1, &CpuidResult::edx, 26};
inline constexpr Feature pdcm{"pdcm", 1, &CpuidResult::ecx, 15};
inline constexpr Feature x2apic{"x2apic", 1, &CpuidResult::ecx, 21};
inline constexpr Feature xsave{"xsave", 1, &CpuidResult::ecx, 26};
inline constexpr Feature rdrand{"rdrand", 1, &CpuidResult::ecx, 30};
inline constexpr Feature fsgsbase{"fsgsbase", 7, &CpuidResult::ebx, 0};
inline constexpr Feature avx2{"avx2", 7, &CpuidResult::ebx, 5};
inline constexpr Feature smep{"smep", 7, &CpuidResult::ebx, 7};
inline constexpr Feature avx512f{"avx512f", 7, &CpuidResult::ebx, 16};
inline constexpr Feature rdseed{"rdseed", 7, &CpuidResult::ebx, 18};
inline constexpr Feature smap{"smap", 7, &CpuidResult::ebx, 20};
inline constexpr Feature clflushopt{"clflushopt", 7, &CpuidResult::ebx, 23};
inline constexpr Feature umip{"umip", 7, &CpuidResult::ecx, 2};
inline constexpr Feature tsx_force_abort{"tsx-force-abort", 7, &CpuidResult::edx, 13};
inline constexpr Feature arch_capabilities{"arch-capabilities", 7, &CpuidResult::edx, 29};
inline constexpr Feature svm{"svm", 0x80000001, &CpuidResult::ecx, 2};
inline constexpr Feature nested_paging{"npt", 0x8000000a, &CpuidResult::edx, 0};
inline constexpr Feature next_rip_saved{"nrip-save", 0x8000000a, &CpuidResult::edx, 3};
inline constexpr Feature flush_by_asid{"flush-by-asid", 0x8000000a, &CpuidResult::edx, 6};
inline constexpr Feature syscall{"syscall", 0x80000001, &CpuidResult::edx, 11};
inline constexpr Feature nx{"nx", 0x80000001, &CpuidResult::edx, 20};
inline constexpr Feature rdtscp{"rdtscp", 0x80000001, &CpuidResult::edx, 27};
inline constexpr Feature perfctr_core{"perfctr-core", 0x80000001, &CpuidResult::ecx, 23};
inline constexpr Feature cpuid_user_dis{"cpuid-user-dis", 0x80000021, &CpuidResult::eax, 17};
}  // namespace feature

// A leaf, or zeros where the CPU does not have it: each block's first leaf says which is its last.
[[nodiscard]] inline CpuidResult cpuid_leaf(std::uint32_t leaf) {
  return cpuid(leaf & 0xf0000000).eax >= leaf ? cpuid(leaf) : CpuidResult{};
}

[[nodiscard]] inline bool has(const Feature& feature) {
  return (cpuid_leaf(feature.leaf).*feature.where >> feature.position & 1) != 0;
}

}  // namespace arch::x86
