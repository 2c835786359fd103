// The native ABI's calls (kernel/abi/reprise.h), served once each, after the processing element
// that made them is committed. Every argument is whatever a program chose to put into a register:
// each is checked, and a bad one is an error code, never more.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/ipc/ipc.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

class NativeCalls {
public:
  explicit NativeCalls(Ipc& ipc) : ipc_{ipc} {}

  // Serves the call in the process's registers; the status with which it ends, if it does. A call
  // that must wait leaves the process Sleeping, Calling or Receiving.
  std::optional<std::uint8_t> serve(Process& process);

private:
  Ipc& ipc_;
};

}  // namespace reprise
