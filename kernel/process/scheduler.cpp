#include "kernel/process/scheduler.hpp"

#include "arch/machine.hpp"
#include "arch/run_user.hpp"

namespace reprise {
namespace {

constexpr std::uint64_t longest_idle = 100'000'000;  // ns; the serial line is polled in between

}  // namespace

std::uint64_t Scheduler::wait_of(const Process& process, Nanoseconds now) const {
  if (process.status == ProcessStatus::Ready) return 0;
  if (process.status == ProcessStatus::Reading) {
    return input_.empty() && !input_.at_end() ? longest_idle : 0;
  }
  return process.wake_at <= now ? 0 : process.wake_at.value() - now.value();
}

Process* Scheduler::next() {
  for (;;) {
    input_.poll();
    const Nanoseconds now = arch::now();
    std::uint64_t idle = longest_idle;
    bool all_ended = true;
    for (std::size_t step = 1; step <= table_.size(); ++step) {
      const std::size_t index = (last_ + step) % table_.size();
      if (table_[index].status == ProcessStatus::Ended) continue;
      all_ended = false;
      const std::uint64_t wait = wait_of(table_[index], now);
      if (wait == 0) {
        last_ = index;
        return &table_[index];
      }
      if (wait < idle) idle = wait;
    }
    if (all_ended) return nullptr;
    arch::wait_for_interrupt(Nanoseconds{idle});
  }
}

}  // namespace reprise
