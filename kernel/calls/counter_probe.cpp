#include "kernel/calls/counter_probe.hpp"

#include "arch/counter.hpp"
#include "arch/run_user.hpp"
#include "arch/timer.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/context/register_frame.hpp"

namespace reprise {
namespace {

using Ending = CounterProbe::Ending;
using arch::Trap;

constexpr std::uint64_t longest_time = 1'000'000'000;  // nanoseconds: interrupts wait meanwhile
constexpr std::int64_t most_instructions = 1 << 20;    // in what the engine is told

bool is_sound(const CounterSettings& settings) {
  const auto& c = settings.corrections;
  for (const std::int64_t correction : {c.interrupt, c.fault, c.call, c.stop}) {
    if (!is_between(-most_instructions, correction, most_instructions)) return false;
  }
  constexpr auto most = static_cast<std::uint64_t>(most_instructions);
  return settings.kind <= CounterKind::Icount && settings.margin <= most &&
         settings.tolerance <= most && c.stop >= 0;
}

Ending ending_of(Trap::Kind kind) {
  switch (kind) {
    case Trap::Kind::SystemCall: return Ending::SystemCall;
    case Trap::Kind::Exception: return Ending::Exception;
    case Trap::Kind::Timer: return Ending::Timer;
    case Trap::Kind::Counter: return Ending::Counter;
    case Trap::Kind::Step: return Ending::Step;
    case Trap::Kind::Break: return Ending::Break;
    case Trap::Kind::Device: return Ending::Device;
    case Trap::Kind::NonMaskable: return Ending::NonMaskable;
    case Trap::Kind::MachineCheck: return Ending::MachineCheck;
    case Trap::Kind::Exit: break;  // no guest is probed
  }
  return Ending::None;
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

Outcome use_counter(const CounterSettings& settings) {
  if (!is_sound(settings)) return Failure{REPRISE_BAD_ARGUMENT};
  if (!arch::use_counter(settings)) return Failure{REPRISE_NOT_GRANTED};
  return Done{};
}

Outcome probe_counter(CounterProbe& probe, arch::UserState& state) {
  if (!is_between<std::uint64_t>(1, probe.time, longest_time)) return Failure{REPRISE_BAD_ARGUMENT};
  const CounterSettings in_use = arch::counter();
  if (const Outcome used = use_counter(probe.counter); !used) return used;
  probe.ending = ending_of(run(probe, state).kind);
  probe.count = arch::count();
  probe.registers = register_frame(state);
  const bool restored = arch::use_counter(in_use);
  REPRISE_ASSERT(restored);  // its registers existed before
  return Done{};
}

}  // namespace reprise
