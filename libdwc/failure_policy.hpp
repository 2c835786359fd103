// What follows an attempt that failed: one function over plain values, a table in code. The
// controller carries the decision out; docs/engine.md has the same rows.
#pragma once

#include <cstdint>

#include "libdwc/findings.hpp"

namespace dwc {

enum class Failure : std::uint8_t {
  Mismatch,      // the runs differ, or one of them ended as no run can
  Missed,        // the second run did not come to the first one's position, and nothing says why
  MachineCheck,  // a recoverable one
};

// One attempt is both runs of a PE.
struct FailedAttempt {
  Failure failure = Failure::Mismatch;
  bool snapshot_intact = true;      // R0 and every P0 still have their check words
  std::uint32_t restarts = 0;       // of this PE so far
  std::uint32_t restart_limit = 0;  // how many there may be in a row
  bool counter_counts = true;       // the core has a counter
  bool a_hint_failed = false;       // in this PE, this attempt included, a search was misled
  unsigned halvings_left = 0;       // how often the time limit can still be halved
};

struct Decision {
  enum class Action : std::uint8_t {
    Restart,                // both runs again
    RestartWithoutCounter,  // the last attempt: a counter that lies must not decide
    RestartsBeginAnew,      // the time limit is shorter now, and all restarts are there again
    Trace,                  // no restart is left: look for an instruction to blame, then stop
    Stop,
  };
  Action action = Action::Restart;
  Verdict verdict = Verdict::Divergence;  // of Trace and Stop
  unsigned halvings = 0;                  // of the time limit, before anything else

  friend bool operator==(const Decision&, const Decision&) = default;
};

[[nodiscard]] constexpr Decision decide(const FailedAttempt& attempt) {
  using Action = Decision::Action;
  if (!attempt.snapshot_intact) {
    return {.action = Action::Stop, .verdict = Verdict::SnapshotCorrupt};
  }
  // Without a counter arrivals cost time: each failed search makes the next one shorter.
  const bool missed = attempt.failure == Failure::Missed;
  const unsigned at_once = missed && !attempt.counter_counts && attempt.halvings_left != 0 ? 1 : 0;
  if (attempt.restarts < attempt.restart_limit) {
    const bool next_is_last = attempt.restarts + 1 == attempt.restart_limit;
    const bool drop_counter = next_is_last && attempt.counter_counts;
    return {.action = drop_counter ? Action::RestartWithoutCounter : Action::Restart,
            .halvings = at_once};
  }
  if (attempt.failure == Failure::MachineCheck) {
    return {.action = Action::Stop, .verdict = Verdict::MachineCheck};
  }
  if (attempt.failure == Failure::Mismatch) {
    return {.action = Action::Trace, .verdict = Verdict::Divergence};
  }
  if (attempt.halvings_left > at_once) {
    return {.action = Action::RestartsBeginAnew, .halvings = at_once + 1};
  }
  return {.action = Action::Trace,
          .verdict = attempt.a_hint_failed ? Verdict::Unresolved : Verdict::Divergence,
          .halvings = at_once};
}

}  // namespace dwc
