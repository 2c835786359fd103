// Synchronous messages between processes, and notes from the kernel (kernel/abi/reprise.h). Each
// call is served once, after the processing element that made it is committed, and moves a message
// only between two processes that both wait, so that neither can be within a PE: a message leaves
// once, whatever either side had to repeat.
#pragma once

#include <cstdint>

#include "kernel/process/process.hpp"

namespace reprise {

class Ipc {
public:
  explicit constexpr Ipc(ProcessTable& table) : table_{table} {}

  // The two calls; the process stands at one, and waits when it comes back as Calling or Receiving.
  // Else the result is the call's.
  [[nodiscard]] std::int64_t call(Process& caller);
  [[nodiscard]] std::int64_t receive(Process& server);

  void notify(Process& process, std::uint64_t notes);
  // Interrupts that have come in, and alarms.
  void notify_all(std::uint32_t lines, Nanoseconds now);
  // Who waits for an answer of that process gets an error.
  void ended(Process& process);

private:
  [[nodiscard]] Process* process_at(std::uint64_t number) const;
  [[nodiscard]] std::int64_t answer(Process& server);
  void deliver(Process& caller);
  void tell(Process& process);

  ProcessTable& table_;
  std::uint64_t calls_ = 0;
};

}  // namespace reprise
