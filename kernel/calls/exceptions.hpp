// What follows a committed exception: an instruction that the kernel emulates (RDTSC, CPUID), an
// access to a granted device, the process's own handler, or the end of the process.
#pragma once

#include "kernel/process/process.hpp"

namespace reprise {

// False: nobody takes it, and the process ends.
[[nodiscard]] bool serve_exception(Process& process, const dwc::PeEnd& end);

}  // namespace reprise
