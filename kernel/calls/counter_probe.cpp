#include "kernel/calls/counter_probe.hpp"

#include "arch/counter.hpp"
#include "arch/run_user.hpp"
#include "arch/timer.hpp"
#include "arch/user_state.hpp"
#include "kernel/calls/exceptions.hpp"

namespace reprise {
namespace {

using Ending = CounterProbe::Ending;
using arch::Trap;
static_assert(static_cast<Trap::Kind>(Ending::MachineCheck) == Trap::Kind::MachineCheck);

constexpr std::uint64_t longest_time = 1'000'000'000;  // nanoseconds: interrupts wait meanwhile
constexpr std::uint64_t most_instructions = 1 << 20;   // in what the engine is told

bool sound(const CounterSettings& settings) {
  const auto& c = settings.corrections;
  for (const std::int64_t word : {c.interrupt, c.fault, c.call, c.stop}) {
    const auto distance = static_cast<std::uint64_t>(word) + most_instructions;
    if (distance > 2 * most_instructions) return false;
  }
  return settings.kind <= CounterKind::Icount && settings.margin <= most_instructions &&
         settings.tolerance <= most_instructions && c.stop >= 0;
}

Trap run(const CounterProbe& probe, arch::UserState& state) {
  arch::initialize(state, 0, 0);
  set_registers(state, probe.registers);
  arch::load_rest(state);
  arch::stop_at_count(probe.stop);
  arch::set_single_step(probe.steps != 0);
  arch::arm_timer(Nanoseconds{probe.time});
  const Trap trap = arch::run_user(state);
  arch::arm_timer({});
  arch::set_single_step(false);
  return trap;
}

}  // namespace

std::int64_t use_counter(const CounterSettings& settings) {
  if (!sound(settings)) return -REPRISE_BAD_ARGUMENT;
  return arch::use_counter(settings) ? 0 : -REPRISE_NOT_GRANTED;
}

std::int64_t probe_counter(CounterProbe& probe) {
  static constinit arch::UserState state{};
  if (probe.time - 1 >= longest_time) return -REPRISE_BAD_ARGUMENT;
  const CounterSettings in_use = arch::counter();
  const std::int64_t answer = use_counter(probe.counter);
  if (answer != 0) return answer;
  probe.ending = static_cast<Ending>(run(probe, state).kind);
  probe.count = arch::count();
  probe.registers = frame_of(state);
  static_cast<void>(arch::use_counter(in_use));
  return 0;
}

}  // namespace reprise
