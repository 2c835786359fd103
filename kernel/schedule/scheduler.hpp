// Whose processing element runs next: round robin with priorities, at the ends of PEs.
//
// The algorithm is that of POSIX (IEEE Std 1003.1-2017, 2.8.4, SCHED_RR). Each priority, 0 to 7,
// has a queue. The first of the highest queue in which anybody can run has its turn, `quantum=`
// PEs. A process that has spent them, yields, sleeps or waits goes to the end of its queue. One
// that a higher process cut short keeps its place and the rest of its turn. One that wakes up
// stands where it left the queue, before all that have had a turn since. A lower one runs only
// while no higher one can.
//
// A PE counts as one when the program ended it, by a call or an exception. When the kernel ended
// it, it counts by its time in the first run, write faults included, as a part of the time limit.
// What a turn lacks or exceeds is made up in the next ones (deficit round robin: Shreedhar and
// Varghese, SIGCOMM 1995). So programs that compute get equal times, whether the time limit or the
// page budget ends their PEs.
//
// Latency: device interrupts are let in at each PE's end, so each waits for one PE (both runs) and
// the kernel's work behind it: W, derived in docs/architecture.md. Take a process woken by one, or
// by the clock, with n others of its priority and none above. It runs after at most W for itself
// and the n turns before it, each of `quantum=` PEs and up to one more that makes up for an earlier
// turn.
//
// Policy only: the caller lets interrupts in, notifies, and idles (kernel/supervisor.cpp).
#pragma once

#include <cstdint>

#include "kernel/abi/init.hpp"
#include "kernel/process/process_table.hpp"

namespace reprise {

// Whether the log has so much unsent text that only processes that send it may run.
enum class LogLoad : std::uint8_t { Normal, Crowded };

class Scheduler {
public:
  static constexpr std::uint64_t longest_idle = 10'000'000'000;  // nanoseconds

  struct Choice {
    Process* process = nullptr;  // nothing: nobody can run now
    Nanoseconds idle{};          // then: until a sleeper's time, as far as that is known
  };

  // The context's PE is over, and perhaps its turn.
  void end_element(Context& context, const KernelSettings& settings);
  [[nodiscard]] Choice choose(ProcessTable& processes, Nanoseconds now, LogLoad load) const;

private:
  std::uint64_t turns_ = 0;  // that have ended
};

}  // namespace reprise
