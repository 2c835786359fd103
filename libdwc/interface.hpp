// What the engine and its caller tell each other: Settings before the first PE, an Event for each
// trap, Next for what the kernel does then, and PeEnd for the reason why a processing element (PE)
// is over. A choice changes cost or depth of the check; none lets a state be committed that two
// runs did not agree on.
#pragma once

#include <cstdint>

namespace dwc {

enum class Policy : std::uint8_t {
  Rotate,   // three frames that rotate; modified pages stay writable (docs/engine.md)
  Classic,  // the paper's own: a write fault and three copies for each page in each PE
};

enum class CheckScope : std::uint8_t {
  Dirty,  // compare the pages whose dirty bit says that a run wrote them
  Full,   // compare every page of the set, whatever its dirty bit says
};

enum class CheckWords : std::uint8_t {
  Verify,  // before a restart the snapshot must still have the check words it was taken with
  Ignore,  // for experiments: shows what a flipped snapshot does unnoticed
};

struct Settings {
  Policy policy = Policy::Rotate;
  CheckScope check = CheckScope::Dirty;
  CheckWords check_words = CheckWords::Verify;
  std::uint32_t page_budget = 64;            // pages in the set, predicted ones included
  std::uint32_t restart_limit = 3;           // restarts in a row of one PE
  std::uint32_t clean_limit = 4;             // PEs that a page may stay clean before it leaves
  std::uint64_t limit_ticks = 0;             // ends the first run; 0: no limit
  std::uint64_t second_run_slack_ticks = 0;  // second run: 4 times the first one's time plus this
  std::uint64_t trace_ticks = 0;             // ends a pass of the trace; 0: its room alone does
};

// Both runs must end alike: all fields equal. Only the first five kinds can be agreed upon; a run
// that ends in one of the others has gone wrong.
struct PeEnd {
  enum class Kind : std::uint8_t {
    SystemCall,
    Exception,
    PageBudget,       // a write beyond the budget; RIP stands at the instruction that faulted
    OutOfFrames,      // not even the first modified page of the PE found its frames
    TimeLimit,        // of the first run, anywhere; the second has come to the same position
    Watchdog,         // the second run took too long
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
    Timer,         // the time armed by arm_timer() is over
    Counter,       // as asked for by stop_at_count()
    Step,          // as asked for by step()
    Break,         // as asked for by break_at()
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
