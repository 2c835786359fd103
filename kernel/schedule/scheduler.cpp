#include "kernel/schedule/scheduler.hpp"

#include "arch/clock.hpp"
#include "arch/interrupts.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/log/log.hpp"

namespace reprise {
namespace {

constexpr std::uint64_t longest_idle = 10'000'000'000;  // nanoseconds

}  // namespace

std::uint64_t Scheduler::wait_of(const Process& process, Nanoseconds now) const {
  if (kernel_log.crowded() && !process.sends_log()) return longest_idle;
  if (process.status == ProcessStatus::Ready) return 0;
  if (process.status == ProcessStatus::Calling) return longest_idle;
  const Nanoseconds time =
      process.status == ProcessStatus::Receiving ? process.mailbox.alarm : process.wake_at;
  return time <= now ? 0 : time.value() - now.value();
}

Process& Scheduler::next() {
  if (last_ != nullptr) {
    if (last_->status != ProcessStatus::Ready) last_->turn.give_up();
    const std::uint64_t pe_length = machine_.settings.pe_limit;
    last_->turn.settle(machine_.settings.quantum * pe_length, pe_length, turns_);
  }
  for (;;) {
    arch::admit_interrupts();
    const Nanoseconds now = arch::now();
    machine_.ipc.notify_all(arch::take_interrupts(), now);
    kernel_log.tell_readers(machine_.ipc);
    std::uint64_t idle = longest_idle;
    last_ = nullptr;
    for (std::size_t i = 0; i < machine_.processes.size(); ++i) {
      Process& process = machine_.processes[i];
      if (process.status == ProcessStatus::Ended) continue;
      const std::uint64_t wait = wait_of(process, now);
      idle = smaller(idle, wait);
      if (wait == 0 && (last_ == nullptr || process.turn.precedes(last_->turn))) last_ = &process;
    }
    if (last_ != nullptr) return *last_;
    arch::wait_for_interrupt(Nanoseconds{idle});
  }
}

}  // namespace reprise
