// Whose processing element runs next: round robin with priorities, at the ends of PEs.
//
// The algorithm is that of POSIX (IEEE Std 1003.1-2017, 2.8.4, SCHED_RR). Each priority, 0 to 7,
// has a queue. The first of the highest queue in which anybody can run has its turn, `quantum=`
// PEs. Who has spent them, yields, sleeps or waits goes to the end of its queue; who was cut short
// by a higher one keeps its place and the rest of its turn. Who wakes up stands where it left the
// queue, before all that have had a turn since. A lower one runs only while no higher one can.
//
// A PE counts as one when the program ended it, by a call or an exception. When the kernel did, it
// counts by its time in the first run, write faults included, as a part of the time limit, and what
// a turn lacks or exceeds is made up in the next ones (deficit round robin: Shreedhar and Varghese,
// SIGCOMM 1995).
// So programs that compute get equal times, whether the time limit or the page budget ends their
// PEs.
//
// Latency: device interrupts are let in at each PE's end, so each waits for one PE (both runs) and
// what the kernel does behind it: W, derived in docs/architecture.md. A process woken by one, or by
// the clock, with n others of its priority and none above, runs after at most W for itself and the
// n turns before it, each of `quantum=` PEs and up to one more that makes up for an earlier turn.
// When nobody can run the machine idles until a sleeper's time or an interrupt.
#pragma once

#include "kernel/machine.hpp"

namespace reprise {

class Scheduler {
public:
  explicit Scheduler(Machine& machine) : machine_{machine} {}

  // The process whose PE is next; the one before has ended its PE. Idles while there is none.
  [[nodiscard]] Process& next();

private:
  // Nanoseconds until the process can run, as far as that is known; 0: now.
  [[nodiscard]] std::uint64_t wait_of(const Process& process, Nanoseconds now) const;

  Machine& machine_;
  Process* last_ = nullptr;  // the one that next() gave out
  std::uint64_t turns_ = 0;  // that have ended
};

}  // namespace reprise
