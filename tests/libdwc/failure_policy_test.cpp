// Every row of what follows a failed attempt.
#include "libdwc/failure_policy.hpp"

#include "tests/catch.hpp"

using dwc::FailedAttempt;
using dwc::Failure;
using dwc::Verdict;
using Action = dwc::Decision::Action;

namespace {

struct Row {
  const char* when;
  FailedAttempt attempt;
  dwc::Decision decision;
};

constexpr bool last = true;

// With 3 restarts allowed; `used_up` for the attempt after the last of them.
constexpr FailedAttempt attempt(Failure failure, bool used_up, bool counter, unsigned halvings_left,
                                bool a_hint_failed = true) {
  return {.failure = failure,
          .restarts = used_up ? 3u : 0u,
          .restart_limit = 3,
          .counter_counts = counter,
          .a_hint_failed = a_hint_failed,
          .halvings_left = halvings_left};
}

constexpr Row rows[] = {
    {"a mismatch", attempt(Failure::Mismatch, !last, true, 6), {.action = Action::Restart}},
    {"a mismatch without a counter", attempt(Failure::Mismatch, !last, false, 6), {}},
    {"a missed position", attempt(Failure::Missed, !last, true, 6), {}},
    {"a missed position without a counter",
     attempt(Failure::Missed, !last, false, 6),
     {.halvings = 1}},
    {"the same with the shortest limit", attempt(Failure::Missed, !last, false, 0), {}},
    {"a machine check", attempt(Failure::MachineCheck, !last, true, 6), {}},
    {"the last mismatch",
     attempt(Failure::Mismatch, last, true, 6),
     {.action = Action::Trace, .verdict = Verdict::Divergence}},
    {"the last mismatch without a counter",
     attempt(Failure::Mismatch, last, false, 0),
     {.action = Action::Trace, .verdict = Verdict::Divergence}},
    {"the last machine check",
     attempt(Failure::MachineCheck, last, true, 6),
     {.action = Action::Stop, .verdict = Verdict::MachineCheck}},
    {"the last missed position",
     attempt(Failure::Missed, last, true, 6),
     {.action = Action::RestartsBeginAnew, .halvings = 1}},
    {"the last missed position without a counter",
     attempt(Failure::Missed, last, false, 6),
     {.action = Action::RestartsBeginAnew, .halvings = 2}},
    {"the same with one halving left",
     attempt(Failure::Missed, last, false, 1),
     {.action = Action::Trace, .verdict = Verdict::Unresolved, .halvings = 1}},
    {"the last one with the shortest limit",
     attempt(Failure::Missed, last, true, 0),
     {.action = Action::Trace, .verdict = Verdict::Unresolved}},
    {"the same, when each attempt by a hint was a mismatch",
     attempt(Failure::Missed, last, true, 0, false),
     {.action = Action::Trace, .verdict = Verdict::Divergence}},
};

}  // namespace

TEST_CASE("what follows a failed attempt, row by row") {
  for (const Row& row : rows) {
    INFO(row.when);
    CHECK(dwc::decide(row.attempt) == row.decision);
  }
}

TEST_CASE("a corrupt snapshot stops the PE in every row") {
  for (const Row& row : rows) {
    FailedAttempt corrupt = row.attempt;
    corrupt.snapshot_intact = false;
    INFO(row.when);
    CHECK(dwc::decide(corrupt) ==
          dwc::Decision{.action = Action::Stop, .verdict = Verdict::SnapshotCorrupt});
  }
}

TEST_CASE("the last attempt does without the counter, after whatever failure") {
  for (const Failure failure : {Failure::Mismatch, Failure::Missed, Failure::MachineCheck}) {
    for (std::uint32_t limit = 1; limit < 5; ++limit) {
      for (std::uint32_t restarts = 0; restarts < limit; ++restarts) {
        FailedAttempt failed = attempt(failure, !last, true, 6);
        failed.restarts = restarts;
        failed.restart_limit = limit;
        const bool next_is_last = restarts + 1 == limit;
        CHECK(dwc::decide(failed).action ==
              (next_is_last ? Action::RestartWithoutCounter : Action::Restart));
        failed.counter_counts = false;
        CHECK(dwc::decide(failed).action == Action::Restart);
      }
    }
  }
}

TEST_CASE("without any restart allowed the first failure is the last") {
  FailedAttempt failed = attempt(Failure::Mismatch, !last, true, 6);
  failed.restart_limit = 0;
  CHECK(dwc::decide(failed).action == Action::Trace);
  failed.failure = Failure::Missed;
  CHECK(dwc::decide(failed) == dwc::Decision{.action = Action::RestartsBeginAnew, .halvings = 1});
}
