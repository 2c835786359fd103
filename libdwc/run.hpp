// One of the two executions of a PE: on which core it runs, how it ended, and what it left there.
// Two of these exist at once. Today both run on one core, one after the other; a second core will
// have the second one.
//
// Invariant: between begin() and the run's end its registers are live in the core. Afterwards the
// first run's are put aside by changing places, and the second run's stay the live ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

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
    has_faulted_ = false;
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
    if (has_faulted_) return false;
    const bool moved = start.words()[C::rip_word] != core_.registers().words()[C::rip_word];
    return !moved && trap_words_apart<C>(start, core_.registers()) == 0;
  }
  // A page has joined in this run.
  [[nodiscard]] bool has_faulted() const { return has_faulted_; }
  void note_fault() {
    has_faulted_ = true;
    __builtin_memcpy(faulted_at_.data(), core_.registers().words().data(), trap_bytes);
  }

  // The instruction of the last write fault has not been carried out yet. What it writes to two
  // pages may stand in the first of them already (so it is in QEMU), and a run without faults never
  // stands there.
  [[nodiscard]] bool within_faulting_instruction() const {
    const std::span live = core_.registers().words();
    return has_faulted_ && __builtin_memcmp(faulted_at_.data(), live.data(), trap_bytes) == 0;
  }

  std::optional<PeEnd> end;     // nothing: it has not ended in this attempt
  std::optional<Page> refused;  // where it had to end for want of room

private:
  static constexpr std::size_t trap_bytes = C::trap_words * sizeof(std::uint64_t);

  WhichRun which_;
  C& core_;
  Registers* put_aside_;
  bool has_faulted_ = false;
  std::array<std::uint64_t, C::trap_words> faulted_at_{};  // the last write fault, if there was one
  bool end_reported_ = false;
};

}  // namespace dwc
