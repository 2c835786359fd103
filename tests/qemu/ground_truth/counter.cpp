// There is no init here. Its judgement asks the kernel directly, about programs in an address space
// of their own.
#include "tests/qemu/ground_truth/counter.hpp"

#include <span>

#include "kernel/calls/counter_probe.hpp"
#include "kernel/memory/address_space.hpp"
#include "user/init/counter_choice.hpp"
#include "user/init/event_line.hpp"

namespace ground_truth {
namespace {

using namespace reprise;

constexpr std::uint64_t code = 0x400000, code_bytes = 0x20000, data = 0x500000;

// For good: the processor stays in it until a process runs.
constinit std::optional<AddressSpace> space;

bool map(std::uint64_t start, std::uint64_t bytes, arch::Permissions permissions) {
  const auto range = *PageRange::of(UserAddr{start}, bytes);
  return static_cast<bool>(space->map_zero(range, permissions));
}

void probe(CounterProbe& probe) { static_cast<void>(probe_counter(probe)); }

void refused(std::string_view name, std::string_view reason) {
  print_event("counter-refused", "name", name, "reason", reason);
}

}  // namespace

std::optional<std::string_view> start_counter(System& machine, Settings::Counter choice) {
  const std::span programs{counter_programs, counter_programs_end};
  auto created = AddressSpace::create(machine.frames, machine.zero);
  if (!created) return std::nullopt;
  space.emplace(std::move(*created));
  if (programs.size() > code_bytes || !map(code, code_bytes, {.execute = true}) ||
      !map(data, page_size, {.write = true}) ||
      !space->load(UserAddr{code}, std::as_bytes(programs)) ||
      !space->own(page_of(UserAddr{data}), arch::WriteAccess::Enabled)) {
    return std::nullopt;
  }
  space->table().activate();
  const CounterFacts facts =
      choose_counter(choice, user::cpuid_leaf, {probe, code, data}, refused);
  if (use_counter(facts.settings) != 0) return std::nullopt;
  return name_of(facts.settings.kind);
}

}  // namespace ground_truth
