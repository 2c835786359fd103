#include "kernel/schedule/scheduler.hpp"

#include "kernel/base/arithmetic.hpp"

namespace reprise {
namespace {

// When the context can run, as far as that is known.
Nanoseconds time_to_run(const Context& context) {
  switch (context.status) {
    case ContextStatus::Ready: return {};
    case ContextStatus::Sleeping: return context.wake_at;
    case ContextStatus::Receiving: return context.mailbox.alarm;
    case ContextStatus::Calling:
    case ContextStatus::InGuest:
    case ContextStatus::AtMonitor:
    case ContextStatus::Ended: break;
  }
  return Mailbox::never;
}

bool may_run(const Process& process, LogLoad load) {
  return load == LogLoad::Normal || process.sends_log();
}

// While nobody can run: every process that may has a time beyond `now`.
Nanoseconds idle_time(const ProcessTable& processes, Nanoseconds now, LogLoad load) {
  std::uint64_t idle = Scheduler::longest_idle;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    if (!may_run(processes[i], load)) continue;
    idle = smaller(idle, time_to_run(processes[i].context()).value() - now.value());
  }
  return Nanoseconds{idle};
}

}  // namespace

void Scheduler::end_element(Context& context, const KernelSettings& settings) {
  if (context.status != ContextStatus::Ready) context.turn.give_up();
  const std::uint64_t one_pe = turn_of_one_pe(settings);
  context.turn.end_element(settings.quantum * one_pe, one_pe, turns_);
}

Scheduler::Choice Scheduler::choose(ProcessTable& processes, Nanoseconds now, LogLoad load) const {
  Process* first = nullptr;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    Process& process = processes[i];
    if (time_to_run(process.context()) > now || !may_run(process, load)) continue;
    if (first == nullptr || process.context().turn.precedes(first->context().turn)) {
      first = &process;
    }
  }
  if (first != nullptr) return {.process = first, .idle = {}};
  return {.process = nullptr, .idle = idle_time(processes, now, load)};
}

}  // namespace reprise
