// The machine in a few lines: what was found, and what was made of it. Nothing here is printed that
// differs between two boots of one image on one machine. Each device's file has its own line.
#include <array>
#include <string_view>

#include "arch/machine.hpp"
#include "arch/x86_64/devices.hpp"

namespace arch {

using namespace x86;
using reprise::TextLine;

namespace {

struct Feature {
  std::string_view name;
  std::uint32_t leaf;
  std::uint32_t CpuidResult::* where;
  std::uint64_t mask;
};

constexpr std::array features{
    Feature{"nx", 0x80000001, &CpuidResult::edx, Cpuid80000001Edx::Nx::mask},
    Feature{"smep", 7, &CpuidResult::ebx, Cpuid7Ebx::Smep::mask},
    Feature{"smap", 7, &CpuidResult::ebx, Cpuid7Ebx::Smap::mask},
    Feature{"umip", 7, &CpuidResult::ecx, Cpuid7Ecx::Umip::mask},
    Feature{"xsave", 1, &CpuidResult::ecx, Cpuid1Ecx::Xsave::mask},
    Feature{"avx", 1, &CpuidResult::ecx, Cpuid1Ecx::Avx::mask},
    Feature{"avx512", 7, &CpuidResult::ebx, Cpuid7Ebx::Avx512F::mask},
    Feature{"fsgsbase", 7, &CpuidResult::ebx, Cpuid7Ebx::Fsgsbase::mask},
    Feature{"clflushopt", 7, &CpuidResult::ebx, Cpuid7Ebx::Clflushopt::mask},
    Feature{"rdrand", 1, &CpuidResult::ecx, Cpuid1Ecx::Rdrand::mask},
    Feature{"rdseed", 7, &CpuidResult::ebx, Cpuid7Ebx::Rdseed::mask},
    Feature{"invariant-tsc", 0x80000007, &CpuidResult::edx, Cpuid80000007Edx::InvariantTsc::mask},
    Feature{"hypervisor", 1, &CpuidResult::ecx, Cpuid1Ecx::Hypervisor::mask},
};

TextLine describe_processor() {
  std::array<CpuidResult, 3> brand{};
  for (std::uint32_t i = 0; i < brand.size(); ++i) brand[i] = cpuid_leaf(0x80000002 + i);
  std::string_view name{reinterpret_cast<const char*>(brand.data()), sizeof(brand)};
  while (!name.empty() && (name.back() == ' ' || name.back() == '\0')) name.remove_suffix(1);
  while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
  return TextLine{"processor: ", name.empty() ? "unnamed" : name};
}

TextLine describe_features() {
  TextLine line{"features:"};
  for (const Feature& f : features) {
    if ((cpuid_leaf(f.leaf).*f.where & f.mask) != 0) line.append(" ", f.name);
  }
  return line;
}

}  // namespace

void describe_machine(void (*line)(std::string_view text)) {
  for (const auto describe : {describe_processor, describe_features, describe_clock,
                              describe_interrupts, describe_console}) {
    line(describe().view());
  }
}

}  // namespace arch
