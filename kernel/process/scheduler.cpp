#include "kernel/process/scheduler.hpp"

#include "arch/machine.hpp"
#include "arch/run_user.hpp"

namespace reprise {
namespace {

constexpr std::uint64_t longest_idle = 100'000'000;  // ns; the serial line is polled in between

}  // namespace

bool Scheduler::can_run(Process& process, Nanoseconds now) const {
  switch (process.status) {
    case ProcessStatus::Ready: return true;
    case ProcessStatus::Sleeping: return process.wake_at <= now;
    case ProcessStatus::Reading: return !input_.empty() || input_.at_end();
    case ProcessStatus::Ended: break;
  }
  return false;
}

Process* Scheduler::next() {
  for (;;) {
    input_.poll();
    const Nanoseconds now = arch::now();
    for (std::size_t step = 1; step <= table_.size(); ++step) {
      const std::size_t index = (last_ + step) % table_.size();
      if (!can_run(table_[index], now)) continue;
      last_ = index;
      return &table_[index];
    }
    const std::optional<Nanoseconds> idle = idle_time(now);
    if (!idle) return nullptr;
    arch::wait_for_interrupt(*idle);
  }
}

std::optional<Nanoseconds> Scheduler::idle_time(Nanoseconds now) {
  std::uint64_t shortest = longest_idle;
  bool anyone = false;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    Process& process = table_[i];
    if (process.status == ProcessStatus::Ended) continue;
    anyone = true;
    if (process.status != ProcessStatus::Sleeping) continue;
    const std::uint64_t left = process.wake_at.value() - now.value();
    if (left < shortest) shortest = left;
  }
  if (!anyone) return std::nullopt;
  return Nanoseconds{shortest};
}

}  // namespace reprise
