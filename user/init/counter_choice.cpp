#include "user/init/counter_choice.hpp"

namespace reprise {
namespace {

using user::CpuidResult;

bool in_virtual_machine(Cpuid cpuid) { return (cpuid(1).ecx & 1u << 31) != 0; }

// Architectural performance monitoring (Intel SDM Vol. 3B §20.2), with fixed counters.
bool announces_intel(Cpuid cpuid) {
  const CpuidResult leaf = cpuid(0xa);
  return (leaf.eax & 0xff) >= 2 && ((leaf.edx & 0x1f) != 0 || (leaf.ecx & 1) != 0);
}

// AMD and Hygon: PerfCtrExtCore. No bit announces the four older counters, and virtual machines
// seldom have them.
bool announces_amd(Cpuid cpuid) {
  const std::uint32_t vendor = cpuid(0).ebx;
  const bool core = (cpuid(0x80000001).ecx & 1u << 23) != 0;
  return (vendor == 0x68747541 || vendor == 0x6f677948) && (core || !in_virtual_machine(cpuid));
}

// "TCGTCGTCGTCG" (QEMU, target/i386/cpu.c). CPUID does not say whether QEMU counts instructions.
bool announces_icount(Cpuid cpuid) {
  return in_virtual_machine(cpuid) && cpuid(0x40000000).ebx == 0x54474354;
}

struct Candidate {
  CounterKind kind;
  Settings::Counter choice;
  bool (*announced)(Cpuid cpuid);
};
constexpr Candidate candidates[] = {
    {.kind = CounterKind::PmuIntel, .choice = Settings::Counter::Pmu, .announced = announces_intel},
    {.kind = CounterKind::PmuAmd, .choice = Settings::Counter::Pmu, .announced = announces_amd},
    {.kind = CounterKind::Icount,
     .choice = Settings::Counter::Icount,
     .announced = announces_icount},
};

}  // namespace

CounterFacts choose_counter(Settings::Counter choice, Cpuid cpuid, const CounterProbes& probes,
                            void (*refused)(std::string_view name, std::string_view reason)) {
  for (const Candidate& candidate : candidates) {
    const bool automatic = choice == Settings::Counter::Auto;
    const bool wanted = automatic ? candidate.announced(cpuid) : choice == candidate.choice;
    if (!wanted) continue;
    const auto result = test_counter(candidate.kind, probes);
    if (result) return result.value();
    refused(name_of(candidate.kind), result.error().view());
  }
  return {};
}

}  // namespace reprise
