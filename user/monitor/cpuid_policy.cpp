// See cpuid_policy.hpp.
#include "user/monitor/cpuid_policy.hpp"

namespace monitor {
namespace {

template <class... Bits>
constexpr std::uint32_t mask(Bits... bits) {
  return ((1u << bits) | ...);
}

// Leaf 1 ECX. Hidden above all: MONITOR, VMX, CX16, PCID, x2APIC, TSC deadline, RDRAND, and that
// there is a hypervisor.
constexpr std::uint32_t features_ecx = mask(0,    // SSE3
                                            1,    // PCLMULQDQ
                                            9,    // SSSE3
                                            19,   // SSE4.1
                                            20,   // SSE4.2
                                            22,   // MOVBE
                                            23,   // POPCNT
                                            25);  // AES
constexpr std::uint32_t xsave_ecx = mask(26), osxsave_ecx = mask(27);
constexpr std::uint32_t avx_ecx = mask(12,   // FMA
                                       28,   // AVX
                                       29);  // F16C
// Leaf 1 EDX, and where AMD repeats them, leaf 80000001h. Hidden: MCE, APIC, MTRR, MCA, debug
// store, thermal control, several threads.
constexpr std::uint32_t common_edx = mask(0,                   // FPU
                                          1,                   // VME
                                          2,                   // DE
                                          3,                   // PSE
                                          4,                   // TSC
                                          5,                   // MSR
                                          6,                   // PAE
                                          8,                   // CX8
                                          13,                  // PGE
                                          15,                  // CMOV
                                          16,                  // PAT
                                          17,                  // PSE36
                                          23,                  // MMX
                                          24);                 // FXSR
constexpr std::uint32_t features_edx = common_edx | mask(11,   // SEP
                                                         19,   // CLFSH
                                                         25,   // SSE
                                                         26,   // SSE2
                                                         27);  // self snoop
// Leaf 7 EBX. Hidden: TSC adjust, INVPCID, RTM, RDSEED, processor trace.
constexpr std::uint32_t structured_ebx = mask(0,    // FSGSBASE
                                              3,    // BMI1
                                              7,    // SMEP
                                              8,    // BMI2
                                              9,    // REP MOVSB and STOSB
                                              19,   // ADX
                                              20,   // SMAP
                                              23,   // CLFLUSHOPT
                                              24,   // CLWB
                                              29);  // SHA
constexpr std::uint32_t avx2_ebx = mask(5);
constexpr std::uint32_t avx512_ebx = mask(16,   // F
                                          17,   // DQ
                                          21,   // IFMA
                                          28,   // CD
                                          30,   // BW
                                          31);  // VL
// Leaf 7 ECX.
constexpr std::uint32_t avx_7_ecx = mask(8,       // GFNI
                                         9,       // VAES
                                         10);     // VPCLMULQDQ
constexpr std::uint32_t avx512_7_ecx = mask(1,    // VBMI
                                            6,    // VBMI2
                                            11,   // VNNI
                                            12,   // BITALG
                                            14);  // VPOPCNTDQ
// Leaf 80000001h. Hidden: SVM, IBS, XOP, FMA4, topology, counters, MWAITX; RDTSCP and fast FXSAVE.
constexpr std::uint32_t amd_ecx = mask(0,                 // LAHF in 64-bit mode
                                       4,                 // MOV CR8 by LOCK
                                       5,                 // LZCNT
                                       6,                 // SSE4A
                                       7,                 // misaligned SSE
                                       8);                // PREFETCHW
constexpr std::uint32_t amd_edx = common_edx | mask(11,   // SYSCALL
                                                    20,   // NX
                                                    22,   // MMX extensions
                                                    26,   // pages of 1 GiB
                                                    29);  // long mode
constexpr std::uint32_t invariant_tsc = mask(8);          // leaf 80000007h EDX

constexpr std::uint32_t smaller(std::uint32_t a, std::uint32_t b) { return a < b ? a : b; }

// One processor, whose APIC's number is 0. EBX also has the size of a cache line.
CpuidWords features(const ExtendedState& state, const CpuidWords& machine) {
  constexpr std::uint32_t brand_and_line = 0xffff, one_processor = 1 << 16;
  const std::uint32_t offered = features_ecx | (state.offered != 0 ? xsave_ecx : 0) |
                                (state.offers(Components::Avx) ? avx_ecx : 0);
  const std::uint32_t osxsave = state.offered != 0 && state.is_on ? osxsave_ecx : 0;
  return {.eax = machine.eax,
          .ebx = (machine.ebx & brand_and_line) | one_processor,
          .ecx = (machine.ecx & offered) | osxsave,
          .edx = machine.edx & features_edx};
}

CpuidWords structured_features(const ExtendedState& state, const CpuidWords& machine) {
  std::uint32_t ebx = structured_ebx, ecx = 0;
  if (state.offers(Components::Avx)) {
    ebx |= avx2_ebx;
    ecx |= avx_7_ecx;
  }
  if (state.offers(Components::Avx512)) {
    ebx |= avx512_ebx;
    ecx |= avx512_7_ecx;
  }
  return {.ebx = machine.ebx & ebx, .ecx = machine.ecx & ecx};
}

// Size and place of a component. Subleaf 1 would tell of XSAVEOPT, XSAVEC and XSAVES: what these
// write depends on what the processor has kept track of, and not on the registers alone.
CpuidWords component(const ExtendedState& state, std::uint32_t number, const CpuidWords& machine) {
  constexpr std::uint32_t legacy = 2, components = 63;
  const bool shown = number >= legacy && number < components && state.offers(1ul << number);
  return shown ? CpuidWords{.eax = machine.eax, .ebx = machine.ebx} : CpuidWords{};
}

CpuidWords cache(const CpuidWords& machine) {
  constexpr std::uint32_t without_sharing = 0x3fff;
  return {.eax = machine.eax & without_sharing,
          .ebx = machine.ebx,
          .ecx = machine.ecx,
          .edx = machine.edx};
}

}  // namespace

CpuidWords CpuidPolicy::restrict_leaf(std::uint32_t leaf, std::uint32_t subleaf,
                                      const ExtendedState& state, const CpuidWords& machine) {
  CpuidWords words = machine;
  switch (leaf) {
    case 0:
      words.eax = smaller(machine.eax, state.offered != 0 ? xsave_leaf : last_basic);
      return words;
    case 1: return features(state, machine);
    case 2: return words;         // caches
    case 4: return cache(words);  // caches, one a subleaf
    case 7: return subleaf == 0 ? structured_features(state, machine) : CpuidWords{};
    case xsave_leaf: return component(state, subleaf, machine);
    case extended: words.eax = smaller(machine.eax, last_extended); return words;
    case 0x80000001:
      return {
          .eax = machine.eax, .ebx = 0, .ecx = machine.ecx & amd_ecx, .edx = machine.edx & amd_edx};
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: return words;  // the name
    case 0x80000005:
    case 0x80000006: return words;  // caches
    case 0x80000007: return {.edx = invariant_tsc};
    case 0x80000008: return {.eax = machine.eax};  // widths of addresses
    default: return {};
  }
}

}  // namespace monitor
