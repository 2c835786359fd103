// The machine in a few lines: what was found, and what was made of it. Nothing here is printed that
// differs between two boots of one image on one machine. Each device's file has its own line.
#include <array>
#include <string_view>

#include "arch/machine.hpp"
#include "arch/x86_64/devices.hpp"
#include "arch/x86_64/features.hpp"

namespace arch {

using namespace x86;
using reprise::TextLine;

namespace {

constexpr Feature told[] = {
    feature::nx,         feature::smep,   feature::smap,   feature::umip,          feature::xsave,
    feature::avx,        feature::avx512, feature::fsgsbase, feature::clflushopt,
    feature::rdrand,     feature::rdseed, feature::invariant_tsc, feature::hypervisor};

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
  for (const Feature& f : told) {
    if (has(f)) line.append(" ", f.name);
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
