// What goes into the engine and what comes out of it: an Event for each trap, Next for what the
// kernel does then, and PeEnd for the reason why a processing element (PE) is over.
#pragma once

#include <cstdint>

namespace dwc {

// Both runs must end alike: all fields equal. Only the first four kinds can be agreed upon; a run
// that ends in one of the others has gone wrong.
struct PeEnd {
  enum class Kind : std::uint8_t {
    SystemCall,
    Exception,
    PageBudget,       // a write beyond the budget; RIP stands at the instruction that faulted
    OutOfFrames,      // not even the first modified page of the PE found its frames
    Watchdog,         // the run took too long
    UnexpectedWrite,  // the second run wrote a page that the first one had not
    ControlBits,      // RFLAGS as ring 3 cannot set it
    count
  };
  Kind kind = Kind::SystemCall;
  std::uint8_t vector = 0;
  std::uint64_t error_code = 0;
  std::uint64_t fault_address = 0;

  friend bool operator==(const PeEnd&, const PeEnd&) = default;
};

template <class Page>
struct Event {
  enum class Kind : std::uint8_t {
    WriteFault,    // to `page`, which the process may write but which is write-protected; `end`
                   // carries vector, error code and address
    End,           // `end` is what stopped the run
    Watchdog,      // the time armed by arm_watchdog() is over
    ControlBits,   // the trap found interrupts off or an I/O privilege raised
    MachineCheck,  // a recoverable one
  };
  Kind kind;
  PeEnd end{};
  Page page{};
};

enum class Next : std::uint8_t {
  Resume,  // run on; whatever had to be loaded has been loaded
  Serve,   // committed: Controller::end() is to be served, once, outside of the PE
  Stop,    // no restart is left, or none is possible: Controller::diagnosis()
};

}  // namespace dwc
