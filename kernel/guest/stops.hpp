// What stops a guest, and who answers: the kernel what concerns time and the CPU alone, the guest's
// monitor all else. Each stop is served once, after both runs of the guest's PE have agreed on it.
// The monitor waits in REPRISE_GUEST_RUN meanwhile (kernel/abi/guest.h).
#pragma once

#include "kernel/process/process_table.hpp"
#include "libdwc/interface.hpp"

namespace reprise {

// At the end of a PE of a guest. False: the machine's memory is used up, and the guest is over.
[[nodiscard]] bool serve_guest(ProcessTable& processes, Process& guest, const dwc::PeEnd& end);

// A process has ended: if it was a guest, its monitor is told why.
void guest_ended(ProcessTable& processes, const Process& process);

}  // namespace reprise
