// The kernel's main loop: whose turn it is, one processing element, then once, outside of it, what
// the element's end asks for. Ends the machine when no process is left.
#pragma once

#include "kernel/calls/native_calls.hpp"
#include "kernel/dwc/element.hpp"
#include "kernel/dwc/injector.hpp"
#include "kernel/process/scheduler.hpp"
#include "kernel/report/report.hpp"

namespace reprise {

class Supervisor {
public:
  Supervisor(ProcessTable& table, ConsoleInput& input, Injector& injector, const Settings& settings)
      : table_{table},
        ipc_{table},
        scheduler_{table, input, ipc_, settings},
        calls_{input, ipc_},
        injector_{injector},
        settings_{settings} {}

  // Runs until every process has ended, of itself or by stop.after=. Returns the first error in a
  // program's file, if any.
  std::optional<Error> run();
  [[nodiscard]] Latency latency() const { return {arch::longest_hold(), longest_pe_}; }

private:
  void turn(Process& process);
  void serve(Process& process, const dwc::PeEnd& end);
  void refuse(const Process& process, Error error);
  void out_of_memory(Process& process);
  void mismatch_stands(Process& process);
  void finish(Process& process, std::uint8_t status);

  ProcessTable& table_;
  Ipc ipc_;
  Scheduler scheduler_;
  NativeCalls calls_;
  Injector& injector_;
  const Settings& settings_;
  std::optional<Error> refused_;
  Nanoseconds longest_pe_{};
};

}  // namespace reprise
