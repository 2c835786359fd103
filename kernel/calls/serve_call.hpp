// Serves the calls that programs make, each once, after the processing element that made it is
// committed. Next: native_calls.hpp and init_calls.hpp, which calls there are.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/machine.hpp"

namespace reprise {

// Serves the call in the process's registers; the status with which the process ends, if it does. A
// call that must wait leaves the context Sleeping, Calling or Receiving.
[[nodiscard]] std::optional<std::uint8_t> serve_call(Machine& machine, Process& process);

}  // namespace reprise
