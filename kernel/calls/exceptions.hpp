// What follows a committed exception: an instruction that the kernel emulates (RDTSC, CPUID), an
// access to a granted device, the process's own handler, or the end of the process. And the one
// exception that a process may ask for, at a given time.
#pragma once

#include "kernel/process/process.hpp"

namespace reprise {

// False: nobody takes it, and the process ends.
[[nodiscard]] bool serve_exception(Process& process, const dwc::PeEnd& end);

// Before a PE: the exception that REPRISE_INTERRUPT has asked for, once it is due. It never lands
// within the personality, whose work nothing else interrupts.
void interrupt_when_due(Context& context, Nanoseconds now);

}  // namespace reprise
