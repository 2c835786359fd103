// What follows a committed exception: an instruction that the kernel stands in for (RDTSC), the
// process's own handler, or the end of the process.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/process/process.hpp"

namespace reprise {

// The status with which the process ends; nothing when it goes on.
[[nodiscard]] std::optional<std::uint8_t> serve_exception(Process& process, const dwc::PeEnd& end);

}  // namespace reprise
