// The native ABI's calls (kernel/abi/reprise.h), served once each, after the processing element
// that made them is committed.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/system.hpp"

namespace reprise {

// Serves the call in the process's registers; the status with which it ends, if it does. A call
// that must wait leaves the process Sleeping, Calling or Receiving.
[[nodiscard]] std::optional<std::uint8_t> serve_call(System& system, Process& process);

}  // namespace reprise
