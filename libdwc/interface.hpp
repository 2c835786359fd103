// What the engine and its caller tell each other. Settings are given before the first PE, an Event
// for each trap. Next says what the kernel does then, and PeEnd why a processing element (PE) is
// over. Settings change the cost or the depth of the check. With none of them is a state committed
// that two runs did not agree on.
#pragma once

#include <cstdint>

namespace dwc {

enum class Policy : std::uint8_t {
  Rotate,   // three frames rotate; modified pages stay writable (docs/engine.md)
  Classic,  // the paper's: a write fault and three copies for each page in each PE
};

enum class CheckScope : std::uint8_t {
  Dirty,  // compare the pages whose dirty bit says that a run wrote them
  Full,   // compare every page of the set, whatever its dirty bit says
};

enum class CheckWords : std::uint8_t {
  Verify,  // before a restart the snapshot must still have its check words
  Ignore,  // for experiments: a flipped snapshot goes unnoticed
};

struct Settings {
  Policy policy = Policy::Rotate;
  CheckScope check = CheckScope::Dirty;
  CheckWords check_words = CheckWords::Verify;
  std::uint32_t page_budget = 64;   // writable pages, predicted ones included; 0: as
                                    // many as `latency_ticks` allow (pace.hpp)
  std::uint32_t most_asleep = 0;    // pages beside them that keep their frames
  std::uint32_t restart_limit = 3;  // restarts in a row of one PE
  std::uint32_t clean_limit = 4;    // a page that stays clean for so many PEs is write-protected
  std::uint64_t limit_ticks = 0;    // ends the first run; 0: `latency_ticks` decide
  std::uint64_t latency_ticks = 0;  // bound of a whole PE; 0: no limit that follows from it
  std::uint64_t first_limit_ticks = 0;       // the limit that follows begins so, and never is less
  std::uint32_t overhead_share = 3;          // percent of a run, for all beside the runs
  std::uint64_t second_run_slack_ticks = 0;  // second run: 4 times the first one's time plus this
  std::uint64_t trace_ticks = 0;             // ends a pass of the trace; 0: only its room does
};

// How a run ended. Both runs must end alike, with all fields equal. Two runs can agree only on the
// first six kinds. A run that ends in one of the others has gone wrong.
struct PeEnd {
  enum class Kind : std::uint8_t {
    SystemCall,
    Exception,
    Exit,         // of a guest: an intercepted instruction, or what has no memory behind it
    PageBudget,   // a write beyond the budget or the time; RIP is at the instruction that faulted
    OutOfFrames,  // there were no frames for the first page that the PE modified
    TimeLimit,    // ended the first run, anywhere; the second came to the same position
    Watchdog,     // the second run took too long
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
    WriteFault,    // to `page`, which the process may write; the hardware write-protects it. `end`
                   // has vector, error code and address
    End,           // `end` is what stopped the run
    Timer,         // arm_timer()'s time is over
    Counter,       // stop_at_count()'s count is reached
    Step,          // step() is done
    Break,         // break_at()'s address is reached
    ControlBits,   // at the trap, interrupts were off or the I/O privilege was raised
    MachineCheck,  // a recoverable one
  };
  Kind kind;
  PeEnd end{};
  Page page{};
};

enum class Next : std::uint8_t {
  Resume,  // let the context run on; all that it needs is loaded
  Serve,   // committed: serve Controller::end(), once, outside of the PE
  Stop,    // the PE is given up: Controller::diagnosis() says why
};

}  // namespace dwc
