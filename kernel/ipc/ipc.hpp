// Synchronous messages between processes, and notes from the kernel (kernel/abi/reprise.h). Each
// call is served once, after the processing element that made it is committed. A message moves only
// between two contexts that both wait, so neither is within a PE: it leaves once, whatever either
// side had to repeat.
#pragma once

#include <cstdint>

#include "kernel/abi/outcome.hpp"
#include "kernel/process/process_table.hpp"

namespace reprise {

class Ipc {
public:
  explicit constexpr Ipc(ProcessTable& table) : table_{table} {}

  // The two calls; the process stands at one. Done: the call's result is in the registers, or the
  // context waits, Calling or Receiving.
  [[nodiscard]] Outcome call(Process& caller);
  [[nodiscard]] Outcome receive(Process& server);

  void notify(Process& process, std::uint64_t notes);
  // When the process is told REPRISE_NOTE_ALARM, once.
  void set_alarm(Process& process, Nanoseconds time);
  // Interrupts that have come in, and alarms.
  void notify_all(std::uint32_t lines, Nanoseconds now);
  // The process has ended: callers that wait for its answer get an error.
  void ended(Process& process);

private:
  [[nodiscard]] Process* living(std::uint64_t number) const;
  [[nodiscard]] bool waits_for(const Process& first, const Process& last) const;
  [[nodiscard]] Process* first_caller_of(const Process& server) const;
  [[nodiscard]] Outcome answer(Process& server);
  void deliver(Process& caller, Process& server);
  static void tell_notes(Process& process);

  ProcessTable& table_;
  std::uint64_t calls_ = 0;
  Nanoseconds earliest_alarm_ = Mailbox::never;  // none is due before
};

}  // namespace reprise
