// The processor as libdwc sees it while a process runs there: its registers, the clock, the timer,
// the counter, steps and breakpoints; and the fault injector, which strikes within the runs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "arch/clock.hpp"
#include "arch/counter.hpp"
#include "arch/page_table.hpp"
#include "arch/stepping.hpp"
#include "arch/timer.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/address.hpp"
#include "kernel/memory/address_space.hpp"
#include "libdwc/core.hpp"

namespace reprise {

class Injector;
class Process;

class KernelCore {
public:
  using Registers = arch::UserState;
  static constexpr std::size_t rip_word = static_cast<std::size_t>(arch::Register::Rip);
  static constexpr std::size_t trap_words = static_cast<std::size_t>(arch::Register::Rflags) + 1;

  KernelCore(Process& process, AddressSpace& space, Registers& live, Injector& injector)
      : process_{&process}, table_{&space.table()}, live_{&live}, injector_{&injector} {}

  Registers& registers() { return *live_; }
  void complete() { arch::save_rest(*live_); }
  void load() { arch::load_rest(*live_); }
  void reload() { arch::load_used(*live_); }

  std::uint64_t now() { return arch::now().value(); }  // nanoseconds
  void arm_timer(std::uint64_t nanoseconds) { arch::arm_timer(Nanoseconds{nanoseconds}); }

  dwc::Counter counter() const;
  void restart_count();
  std::uint64_t count() { return arch::count(); }
  void stop_at_count(std::uint64_t count);
  void break_at(std::optional<std::uint64_t> rip);
  void step(const Registers& target);
  bool repeats();

  void run_begins(dwc::WhichRun run);
  void run_ended(dwc::WhichRun run);

  // After every trap, first of all: takes back what step() set up. True if it did.
  bool end_step() { return stepper_.end(*live_); }
  // The kernel itself has moved the process to the address that break_at() waits for.
  bool moved_to_break() { return stepper_.watches((*live_)[arch::Register::Rip]); }
  // The counter has stopped the run. True when that was for a flip alone, which has been done: the
  // run goes on.
  bool stopped_for_flip();

private:
  using CodeBuffer = std::array<std::uint8_t, arch::longest_instruction>;
  std::span<const std::uint8_t> code_at_rip(CodeBuffer& buffer);
  std::span<const std::uint8_t> code_in_page(UserAddr at, std::size_t most);

  Process* process_;
  arch::PageTable* table_;  // for the program's code
  Registers* live_;
  Injector* injector_;
  arch::Stepper stepper_;
  PageNumber code_page_{};                    // where the last step was, and
  const std::uint8_t* code_bytes_ = nullptr;  // its bytes; nothing: not known
  std::uint64_t engine_stop_ = 0;  // count at which the engine wants the run to stop; 0: nowhere
};
static_assert(dwc::Core<KernelCore>);

}  // namespace reprise
