// The native ABI's calls (kernel/abi/reprise.h), served once each, after the processing element
// that made them is committed. Every argument is whatever a program chose to put into a register:
// each is checked, and a bad one is an error code, never more.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/console/input.hpp"
#include "kernel/ipc/ipc.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

class NativeCalls {
public:
  NativeCalls(ConsoleInput& input, Ipc& ipc);

  // Serves the call in the process's registers; the status with which it ends, if it does. A call
  // that must wait leaves the process Sleeping, Calling or Receiving, or Reading: then it is served
  // again when there is input.
  std::optional<std::uint8_t> serve(Process& process);

private:
  ConsoleInput& input_;
  Ipc& ipc_;
  std::uint64_t wall_at_entry_;  // nanoseconds since 1970 at kernel entry
};

}  // namespace reprise
