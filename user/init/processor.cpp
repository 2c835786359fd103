// Facts from CPUID in ring 3: the lines about the processor, and the layout of extended state.
#include "user/init/processor.hpp"

#include <array>

#include "user/init/event_line.hpp"
#include "user/init/word_names.hpp"
#include "user/lib/instructions.hpp"

namespace reprise {
namespace {

using user::cpuid;
using user::CpuidResult;

struct Feature {
  std::string_view name;
  std::uint32_t leaf;
  std::uint32_t CpuidResult::*where;
  unsigned position;
};

// Intel SDM Vol. 2A, CPUID.
constexpr Feature features[] = {
    {.name = "nx", .leaf = 0x80000001, .where = &CpuidResult::edx, .position = 20},
    {.name = "smep", .leaf = 7, .where = &CpuidResult::ebx, .position = 7},
    {.name = "smap", .leaf = 7, .where = &CpuidResult::ebx, .position = 20},
    {.name = "umip", .leaf = 7, .where = &CpuidResult::ecx, .position = 2},
    {.name = "xsave", .leaf = 1, .where = &CpuidResult::ecx, .position = 26},
    {.name = "avx", .leaf = 1, .where = &CpuidResult::ecx, .position = 28},
    {.name = "avx512", .leaf = 7, .where = &CpuidResult::ebx, .position = 16},
    {.name = "fsgsbase", .leaf = 7, .where = &CpuidResult::ebx, .position = 0},
    {.name = "clflushopt", .leaf = 7, .where = &CpuidResult::ebx, .position = 23},
    {.name = "rdrand", .leaf = 1, .where = &CpuidResult::ecx, .position = 30},
    {.name = "rdseed", .leaf = 7, .where = &CpuidResult::ebx, .position = 18},
    {.name = "invariant-tsc", .leaf = 0x80000007, .where = &CpuidResult::edx, .position = 8},
    {.name = "hypervisor", .leaf = 1, .where = &CpuidResult::ecx, .position = 31},
};

bool has(const Feature& feature) {
  return (user::cpuid_leaf(feature.leaf).*feature.where >> feature.position & 1) != 0;
}

}  // namespace

TextLine processor_name() {
  std::array<CpuidResult, 3> brand{};
  for (std::uint32_t i = 0; i < brand.size(); ++i) brand[i] = user::cpuid_leaf(0x80000002 + i);
  std::string_view name{reinterpret_cast<const char*>(brand.data()), sizeof(brand)};
  while (!name.empty() && (name.back() == ' ' || name.back() == '\0')) name.remove_suffix(1);
  while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
  return TextLine{name.empty() ? "unnamed" : name};
}

void describe_processor() {
  say("processor: ", processor_name());
  TextLine line{"features:"};
  for (const Feature& feature : features) {
    if (has(feature)) line.append(" ", feature.name);
  }
  say(line);
}

// Intel SDM Vol. 1 §13.5: leaf 0DH gives the size of the enabled state, and each component's place.
ExtendedLayout extended_layout() {
  constexpr std::uint32_t xsave_leaf = 0x0d, os_uses_xsave = 1u << 27;
  constexpr std::uint64_t avx = 1u << 2;
  ExtendedLayout layout;
  if ((cpuid(1).ecx & os_uses_xsave) == 0) return layout;
  layout.words = (cpuid(xsave_leaf, 0).ebx + 7) / 8;
  if ((user::enabled_state() & avx) != 0) layout.ymm_word = cpuid(xsave_leaf, 2).ebx / 8;
  return layout;
}

}  // namespace reprise
