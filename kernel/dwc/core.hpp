// The processor as libdwc sees it while a context runs there: registers, clock, timer, counter,
// steps and breakpoints. It tells its observer of the moments of a run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "arch/clock.hpp"
#include "arch/counter.hpp"
#include "arch/page_table.hpp"
#include "arch/stepping.hpp"
#include "arch/timer.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/address.hpp"
#include "kernel/dwc/run_observer.hpp"
#include "libdwc/core.hpp"

namespace reprise {

class KernelCore {
public:
  using Registers = arch::UserState;
  static constexpr std::size_t rip_word = static_cast<std::size_t>(arch::Register::Rip);
  static constexpr std::size_t trap_words = static_cast<std::size_t>(arch::Register::Rflags) + 1;

  KernelCore(const arch::PageTable& table, Registers& live, RunObserver& observer)
      : table_{table}, live_{&live}, observer_{observer} {}

  Registers& registers() { return *live_; }
  const Registers& registers() const { return *live_; }
  void exchange_registers(Registers*& other) { std::swap(live_, other); }
  void complete();
  void load() { arch::load_rest(start_ == nullptr ? *live_ : *start_); }
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
  // A guest's trap flag would show in too many places (docs/guests.md).
  bool single_steps() const { return live_->virtual_cpu == nullptr; }

  void run_begins(dwc::WhichRun run, const Registers& start);
  void run_ended(dwc::WhichRun run);

  // After every trap, first of all: takes back what step() set up. True if it did.
  bool end_step() { return stepper_.end(*live_); }
  // At the address that break_at() waits for.
  bool stands_at_break() { return stepper_.watches((*live_)[arch::Register::Rip]); }
  // The counter has stopped the run. True: only the observer asked for that, and the run goes on.
  bool stopped_for_observer();

private:
  void begin_observed(dwc::WhichRun run, const Registers& start);
  using CodeBuffer = std::array<std::uint8_t, arch::longest_instruction>;
  std::span<const std::uint8_t> code_at_rip(CodeBuffer& buffer);
  std::span<const std::uint8_t> code_in_page(UserAddr at, std::size_t most);

  const arch::PageTable& table_;  // for the program's code
  Registers* live_;
  // Until complete(): what the run began with. Only the words that traps save are live, too.
  const Registers* start_ = nullptr;
  RunObserver& observer_;
  bool observed_ = false;  // the observer watches this run
  arch::Stepper stepper_;
  PageNumber code_page_{};                    // where the last step was, and
  const std::uint8_t* code_bytes_ = nullptr;  // its bytes; nothing: not known
  std::uint64_t engine_stop_ = 0;  // count at which the engine wants the run to stop; 0: nowhere
};
static_assert(dwc::Core<KernelCore>);

}  // namespace reprise
