// The kernel's main loop: whose turn it is, one processing element, then once, outside of it, what
// the element's end asks for. Only init ends the machine, or the end of init.
#pragma once

#include "kernel/calls/native_calls.hpp"
#include "kernel/dwc/element.hpp"
#include "kernel/process/scheduler.hpp"
#include "kernel/system.hpp"

namespace reprise {

class Supervisor {
public:
  explicit Supervisor(System& system)
      : system_{system},
        scheduler_{system.processes, system.ipc, system.settings},
        calls_{system.ipc} {}

  [[noreturn]] void run();

private:
  void turn(Process& process);
  void serve(Process& process, const dwc::PeEnd& end);
  void serve_call(Process& process);
  void mismatch_stands(Process& process);
  void finish(Process& process, std::uint8_t status);

  System& system_;
  Scheduler scheduler_;
  NativeCalls calls_;
};

}  // namespace reprise
