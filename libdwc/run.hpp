// One of the two executions of a PE: on which core it runs, how it ended, and what it left there.
// Two of these exist at once. Today both run on one core, one after the other; a second core will
// have the second one.
//
// Invariant: between begin() and the run's end its registers are live in the core. Afterwards the
// first run's are put aside by changing places, and the second run's stay the live ones.
#pragma once

#include <array>
#include <optional>

#include "libdwc/comparator.hpp"
#include "libdwc/core.hpp"
#include "libdwc/interface.hpp"

namespace dwc {

template <Space S, Core C>
class Run {
public:
  using Page = typename S::Page;
  using Registers = typename C::Registers;

  // `put_aside`: where keep_registers() leaves them; nothing for the run whose stay live.
  Run(WhichRun which, C& core, Registers* put_aside)
      : which_{which}, core_{core}, put_aside_{put_aside} {}

  // From R0; the pages are P0. `limit` ticks from here the timer ends the run.
  void begin(const Registers& start, std::uint64_t limit) {
    faulted_at_.reset();
    end_reported_ = false;
    core_.run_begins(which_, start);
    core_.arm_timer(limit);
    core_.restart_count();
    core_.load();
  }

  // The run stands where it may be over, and all of it can be seen. In a search it may stand so
  // several times; injection and tracing hear of the first time only, as a flip must not strike
  // twice. end_reported_ is a mark for that alone: what becomes of the PE does not depend on it.
  void report_end() {
    if (end_reported_) return;
    end_reported_ = true;
    core_.run_ended(which_);
  }

  // Puts the live registers aside, as those at the run's end.
  void keep_registers() { core_.exchange_registers(put_aside_); }

  [[nodiscard]] WhichRun which() const { return which_; }
  [[nodiscard]] const Registers& registers() const {
    return put_aside_ == nullptr ? core_.registers() : *put_aside_;
  }
  [[nodiscard]] std::uint64_t rip() const { return registers().words()[C::rip_word]; }

  // ---- Write faults ----

  // Before the first fault of the run, at the PE's very first instruction.
  [[nodiscard]] bool faults_at_once(const Registers& start) const {
    return !faulted_at_ && trap_words_apart<C>(start, core_.registers()) == 0;
  }
  // A page has joined in this run.
  [[nodiscard]] bool has_faulted() const { return faulted_at_.has_value(); }
  void note_fault() { faulted_at_ = trap_words(); }

  // The instruction of the last write fault has not been carried out yet. What it writes to two
  // pages may stand in the first of them already (so it is in QEMU), and a run without faults never
  // stands there.
  [[nodiscard]] bool within_faulting_instruction() const { return faulted_at_ == trap_words(); }

  std::optional<PeEnd> end;     // nothing: it has not ended in this attempt
  std::optional<Page> refused;  // where it had to end for want of room

private:
  using TrapWords = std::array<std::uint64_t, C::trap_words>;

  [[nodiscard]] TrapWords trap_words() const {
    TrapWords words;
    const std::span live = core_.registers().words();
    __builtin_memcpy(words.data(), live.data(), C::trap_words * sizeof(live[0]));
    return words;
  }

  WhichRun which_;
  C& core_;
  Registers* put_aside_;
  std::optional<TrapWords> faulted_at_;  // the last write fault
  bool end_reported_ = false;
};

}  // namespace dwc
