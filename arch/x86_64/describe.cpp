// The machine in a few lines: what was found, and what was made of it. Nothing here is printed that
// differs between two boots of one image on one machine.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "arch/machine.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/clock.hpp"
#include "arch/x86_64/console.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupt_facts.hpp"
#include "arch/x86_64/text_line.hpp"

namespace arch {
namespace {

using namespace x86;

void add_megahertz(TextLine& line, std::uint64_t hertz) {
  const std::uint64_t thousandths = hertz / 1000 % 1000;
  line.number(hertz / 1'000'000).text(thousandths < 10 ? ".00" : thousandths < 100 ? ".0" : ".");
  line.number(thousandths).text(" MHz");
}

void describe_processor(TextLine& line) {
  std::array<std::uint32_t, 12> brand{};
  if (cpuid(0x80000000).eax >= 0x80000004) {
    for (std::uint32_t i = 0; i < 3; ++i) {
      const auto r = cpuid(0x80000002 + i);
      const std::array registers{r.eax, r.ebx, r.ecx, r.edx};
      for (std::size_t j = 0; j < 4; ++j) brand[i * 4 + j] = registers[j];
    }
  }
  const auto* name = reinterpret_cast<const char*>(brand.data());
  std::size_t begin = 0, end = 0;
  while (begin < sizeof(brand) && name[begin] == ' ') ++begin;
  for (std::size_t i = begin; i < sizeof(brand) && name[i] != '\0'; ++i) {
    if (name[i] != ' ') end = i + 1;
  }
  line.text("processor: ");
  line.text(end > begin ? std::string_view{name + begin, end - begin} : "unnamed");
  const unsigned listed = interrupt_facts().acpi.processors;
  if (listed > 1) line.text("; one of ").number(listed).text(" is used");
}

struct Feature {
  std::string_view name;
  std::uint32_t leaf;
  enum Register : std::uint8_t { Ebx, Ecx, Edx } where;
  std::uint64_t mask;
};

constexpr std::array features{
    Feature{"nx", 0x80000001, Feature::Edx, Cpuid80000001Edx::Nx::mask},
    Feature{"smep", 7, Feature::Ebx, Cpuid7Ebx::Smep::mask},
    Feature{"smap", 7, Feature::Ebx, Cpuid7Ebx::Smap::mask},
    Feature{"umip", 7, Feature::Ecx, Cpuid7Ecx::Umip::mask},
    Feature{"xsave", 1, Feature::Ecx, Cpuid1Ecx::Xsave::mask},
    Feature{"avx", 1, Feature::Ecx, Cpuid1Ecx::Avx::mask},
    Feature{"avx512", 7, Feature::Ebx, Cpuid7Ebx::Avx512F::mask},
    Feature{"fsgsbase", 7, Feature::Ebx, Cpuid7Ebx::Fsgsbase::mask},
    Feature{"clflushopt", 7, Feature::Ebx, Cpuid7Ebx::Clflushopt::mask},
    Feature{"rdrand", 1, Feature::Ecx, Cpuid1Ecx::Rdrand::mask},
    Feature{"rdseed", 7, Feature::Ebx, Cpuid7Ebx::Rdseed::mask},
    Feature{"x2apic", 1, Feature::Ecx, Cpuid1Ecx::X2Apic::mask},
    Feature{"invariant-tsc", 0x80000007, Feature::Edx, Cpuid80000007Edx::InvariantTsc::mask},
    Feature{"hypervisor", 1, Feature::Ecx, Cpuid1Ecx::Hypervisor::mask},
};

bool has(const Feature& feature) {
  if (cpuid(feature.leaf & 0x80000000).eax < feature.leaf) return false;
  const CpuidResult r = cpuid(feature.leaf);
  const std::uint32_t value = feature.where == Feature::Ebx   ? r.ebx
                              : feature.where == Feature::Ecx ? r.ecx
                                                              : r.edx;
  return (value & feature.mask) != 0;
}

void describe_features(TextLine& line) {
  line.text("features:");
  for (const Feature& feature : features) {
    if (has(feature)) line.text(" ").text(feature.name);
  }
}

void describe_clock(TextLine& line) {
  const ClockFacts& facts = clock_facts();
  if (!facts.stamp || !facts.timer) return;
  line.text("clock: time stamp ");
  add_megahertz(line, facts.stamp->estimate.hertz);
  line.text(" by ").text(facts.stamp->estimate.source).text(" (");
  for (const Estimate& estimate : std::span{facts.estimates}.first(facts.count)) {
    line.text(&estimate == facts.estimates.data() ? "" : ", ").text(estimate.source).text(" ");
    add_megahertz(line, estimate.hertz);
  }
  line.text(facts.count == 0 ? "no source answered); timer " : "); timer ");
  add_megahertz(line, facts.timer->estimate.hertz);
  line.text(" by ").text(facts.timer->estimate.source);
}

void describe_interrupts(TextLine& line) {
  const InterruptFacts& facts = interrupt_facts();
  line.text("interrupts: ");
  line.text(local_apic.mode() == LocalApic::Mode::X2Apic ? "x2APIC" : "xAPIC");
  line.text(", I/O APIC inputs ").number(facts.io_apic_inputs);
  if (facts.serial_interrupt) line.text(", serial line on ").number(*facts.serial_interrupt);
  line.text(", 8259 masked; ACPI tables ").number(facts.acpi.tables);
}

void describe_console(TextLine& line) {
  const ConsoleFacts facts = console_facts();
  line.text("console: serial ").text(facts.serial ? "on" : "absent").text(", screen ");
  if (facts.columns == 0) {
    line.text("absent");
  } else {
    line.number(facts.columns).text(" x ").number(facts.rows).text(" characters");
  }
}

}  // namespace

void describe_machine(void (*line)(std::string_view text)) {
  for (void (*describe)(TextLine&) : {describe_processor, describe_features, describe_clock,
                                  describe_interrupts, describe_console}) {
    TextLine text;
    describe(text);
    line(text.view());
  }
}

}  // namespace arch
