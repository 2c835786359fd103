// There is no init here. Its judgement asks the kernel directly, about programs in an address space
// of their own.
#include "tests/qemu/ground_truth/counter.hpp"

#include "kernel/memory/address_space.hpp"
#include "tests/kernel/calls/counter_programs.hpp"
#include "user/init/counter_choice.hpp"
#include "user/init/event_line.hpp"

namespace ground_truth {
namespace {

using namespace reprise;

// For good: the processor stays in it until a process runs.
constinit std::optional<AddressSpace> space;

void refused(std::string_view name, std::string_view reason) {
  print_event("counter-refused", "name", name, "reason", reason);
}

}  // namespace

std::optional<std::string_view> start_counter(Machine& machine, Settings::Counter choice) {
  auto created = AddressSpace::create(machine.frames, machine.zero);
  if (!created) return std::nullopt;
  space.emplace(std::move(*created));
  if (!CounterPrograms::load(*space)) return std::nullopt;
  const CounterFacts facts =
      choose_counter(choice, user::cpuid_leaf, CounterPrograms::probes(), refused);
  if (!use_counter(facts.settings)) return std::nullopt;
  return name_of(facts.settings.kind);
}

}  // namespace ground_truth
