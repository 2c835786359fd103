#include "kernel/schedule/scheduler.hpp"

#include "kernel/base/arithmetic.hpp"

namespace reprise {
namespace {

// Nanoseconds until the process can run, as far as that is known; 0: now.
std::uint64_t wait_of(const Process& process, Nanoseconds now, LogLoad load) {
  const Context& context = process.context();
  if (load == LogLoad::Crowded && !process.sends_log()) return Scheduler::longest_idle;
  if (context.status == ContextStatus::Ready) return 0;
  if (context.status == ContextStatus::Calling) return Scheduler::longest_idle;
  const bool receives = context.status == ContextStatus::Receiving;
  const Nanoseconds time = receives ? context.mailbox.alarm : context.wake_at;
  return time <= now ? 0 : time.value() - now.value();
}

}  // namespace

void Scheduler::end_element(Context& context, const KernelSettings& settings) {
  if (context.status != ContextStatus::Ready) context.turn.give_up();
  const std::uint64_t one_pe = turn_of_one_pe(settings);
  context.turn.end_element(settings.quantum * one_pe, one_pe, turns_);
}

Scheduler::Choice Scheduler::choose(ProcessTable& processes, Nanoseconds now, LogLoad load) const {
  Choice choice{.process = nullptr, .idle = Nanoseconds{longest_idle}};
  for (std::size_t i = 0; i < processes.size(); ++i) {
    Process& process = processes[i];
    if (process.has_ended()) continue;
    const std::uint64_t wait = wait_of(process, now, load);
    choice.idle = smaller(choice.idle, Nanoseconds{wait});
    if (wait != 0) continue;
    const bool first = choice.process == nullptr ||
                       process.context().turn.precedes(choice.process->context().turn);
    if (first) choice.process = &process;
  }
  return choice;
}

}  // namespace reprise
