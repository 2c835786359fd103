// See report.hpp.
#include "user/monitor/report.hpp"

namespace monitor {

int report_end(const SessionResult& result) {
  const ShortHex rip{result.rip};
  switch (result.verdict) {
    case Verdict::PoweredOff: say("halted with interrupts off: its power is off"); return 0;
    case Verdict::Reset: say("it has reset its machine: its end"); return 0;
    case Verdict::Status:
      say("ended with its own status ", std::uint64_t{result.status});
      return result.status;
    case Verdict::TripleFault:
      say("a triple fault before it has printed anything, at RIP ", rip,
          ": it cannot run on this machine, or it is no kernel");
      break;
    case Verdict::AbsentMemory:
      say("stopped at RIP ", rip, ": it ", result.is_write ? "writes to" : "reads", " address ",
          ShortHex{result.address}, ", where it has no memory");
      break;
    case Verdict::NothingWakes:
      say("it waits for an interrupt that no device will make, at RIP ", rip);
      break;
    case Verdict::InvalidState:
      say("stopped at RIP ", rip, ": the processor refuses its state");
      break;
    case Verdict::MemoryGone: say("stopped: the machine's memory is used up"); break;
    case Verdict::Standing:
      say("stopped at RIP ", rip, ": its two runs differ, and restarts did not cure it");
      break;
    case Verdict::Ended: say("ended by init"); break;
    case Verdict::CallFailed:
      say("stopped at RIP ", rip, ": the kernel refuses a call of the monitor's with error ",
          static_cast<std::uint64_t>(-result.error));
      break;
  }
  return failed_status;
}

}  // namespace monitor
