// Random programs that the time limit ends anywhere, with every kind of counter, honest or lying.
// What is committed is always a state that a plain run passes through.
#include <cstdint>
#include <iostream>

#include "tests/catch.hpp"
#include "tests/libdwc/convergence_bugs.hpp"
#include "tests/libdwc/limited_world.hpp"
#include "tests/libdwc/property.hpp"

using namespace fake;

namespace {

using Lie = CounterModel::Lie;
using Repeats = CounterModel::Repeats;

constexpr std::uint64_t first_seed = 30'000'000;

constexpr dwc::Counter exact{.counts = true};
constexpr dwc::Counter rough{.counts = true, .margin = 40, .tolerance = 6};

// One instruction of each margin is for an interrupt that a shadow has held up.
constexpr CounterModel honest[] = {
    {.name = "exact", .announced = {.counts = true, .margin = 1}},
    {.name = "icount",
     .announced = {.counts = true, .margin = 8},
     .repeats = Repeats::EachIteration,
     .takes_timer = true},
    {.name = "skid", .announced = {.counts = true, .margin = 121}, .skid = 120},
    {.name = "gains",
     .announced = {.counts = true, .margin = 90, .tolerance = 49},
     .skid = 40,
     .per_fault = 3,
     .per_interrupt = 1},
};

constexpr CounterModel lying[] = {
    {.name = "late", .announced = rough, .skid = 40, .skid_beyond = 600},
    {.name = "faults count", .announced = exact, .per_fault = 20, .per_interrupt = 2},
    {.name = "never overflows", .announced = rough, .lie = Lie::NeverOverflows},
    {.name = "counts nothing", .announced = rough, .lie = Lie::CountsNothing},
    {.name = "stale once", .announced = rough, .lie = Lie::StaleOnce},
    {.name = "always stale", .announced = rough, .lie = Lie::StaleAlways},
    {.name = "garbage", .announced = rough, .lie = Lie::Garbage},
};

Trial random_trial(Random& random, const CounterModel& counter, bool flips) {
  const std::size_t pages = 4 + random.below(8);
  const ComputeProgram compute = compute_program(random, pages);
  dwc::Settings settings = random_settings(random);
  settings.limit_ticks = 10 + random.below(std::uint64_t{8} << random.below(9));
  // With a counter a run that this makes late is waited for.
  settings.second_run_slack_ticks = counter.announced.counts ? 500 : 2000;
  return {.program = compute.program,
          .pages = pages,
          .frames = pages + 4 + random.below(16),
          .settings = settings,
          .counter = counter,
          .entry_ticks = random.below(12),
          .flips = flips,
          .latest_flip = settings.limit_ticks,
          .most_pes = compute.endless ? 40u : 400u,
          .must_end = false};
}

Tally run_trials(const CounterModel& counter, bool flips, std::uint64_t programs) {
  Tally tally;
  for (std::uint64_t seed = first_seed; seed < first_seed + programs; ++seed) {
    Random random{seed};
    const Trial trial = random_trial(random, counter, flips);
    const auto wrong = violation_in<Machine>(trial, random, seed, tally);
    INFO(counter.name << ", seed " << seed);
    REQUIRE(wrong.value_or("") == "");
  }
  std::cout << counter.name << (flips ? ", flips" : "") << ": seeds from " << first_seed << ", "
            << tally.programs << " programs, " << tally.ended << " ended, " << tally.pes << " PEs, "
            << tally.time_limited << " time-limited, " << tally.flips << " flips, "
            << tally.mismatches << " mismatches, " << tally.failed << " failed, "
            << tally.unresolved << " unresolved, " << tally.converged << " converged, "
            << tally.steps << " steps, most " << tally.most_steps << ", " << tally.candidates
            << " candidates, widest margin " << tally.widest << '\n';
  return tally;
}

// The first program on which something is wrong, without any flip. Only with an honest counter is a
// search that finds nothing wrong in itself.
template <class M>
bool is_found(const char* bug, const CounterModel& counter) {
  const bool searches_succeed = counter.announced.counts && counter.honest();
  Tally tally;
  for (std::uint64_t seed = first_seed; seed < first_seed + 2000; ++seed) {
    Random random{seed};
    const Trial trial = random_trial(random, counter, false);
    auto wrong = violation_in<M>(trial, random, seed, tally);
    if (!wrong && tally.mismatches != 0) wrong = "a mismatch";
    if (!wrong && searches_succeed && tally.failed != 0) wrong = "a failed convergence";
    if (!wrong) continue;
    std::cout << bug << ", " << counter.name << ": program " << seed - first_seed + 1 << ", "
              << *wrong << '\n';
    return true;
  }
  return false;
}

template <class M>
bool is_found_either_way(const char* bug, const CounterModel& counter) {
  return is_found<M>(bug, counter) && is_found<M>(bug, landmark);
}

}  // namespace

TEST_CASE("with an honest counter and no flip no search fails and nothing is a mismatch") {
  for (const CounterModel& counter : honest) {
    const Tally tally = run_trials(counter, false, 2000);
    CHECK(tally.mismatches == 0);
    CHECK(tally.failed == 0);
    CHECK(tally.restarts == 0);
    CHECK(tally.time_limited > 10 * tally.programs);
  }
}

TEST_CASE("with an honest counter each flip is caught or has died out") {
  for (const CounterModel& counter : honest) {
    const Tally tally = run_trials(counter, true, 2000);
    CHECK(tally.flips > 5 * tally.programs);
    CHECK(tally.mismatches > tally.flips / 2);
  }
}

TEST_CASE("a counter that lies costs time, and nothing wrong is committed") {
  for (const CounterModel& counter : lying) {
    for (const bool flips : {false, true}) {
      const Tally tally = run_trials(counter, flips, 500);
      CHECK(tally.time_limited > 2 * tally.programs);
    }
  }
}

TEST_CASE("without a counter the first run's address leads to its position") {
  for (const bool flips : {false, true}) {
    const Tally tally = run_trials(landmark, flips, 2000);
    CHECK(tally.time_limited > 10 * tally.programs);
    if (!flips) {
      CHECK(tally.mismatches == 0);
      CHECK(tally.failed < tally.time_limited / 1000);
    }
  }
}

TEST_CASE("the random programs find each bug that a search can have") {
  const CounterModel& exact_counter = honest[0];
  const CounterModel& skidding = honest[2];
  CHECK(is_found_either_way<RipAlone>("RIP alone decides", exact_counter));
  CHECK(is_found_either_way<PagesForgotten>("pages forgotten", skidding));
  CHECK(is_found_either_way<ExtendedStateForgotten>("extended state forgotten", skidding));
  const CounterModel late{.name = "late", .announced = rough, .skid = 40, .skid_beyond = 600};
  CHECK_FALSE(is_found<Machine>("none", late));
  CHECK_FALSE(is_found<Machine>("none", landmark));
  CHECK(is_found<OvershootIgnored>("overshoot ignored", late));
  CHECK(is_found<CountNotRestarted>("count not restarted", exact_counter));
  CHECK(is_found<NoBreakpoint>("no breakpoint while stepping", exact_counter));
  CHECK(is_found<RepeatsNotSeen>("repeated instruction not seen", landmark));
  CHECK(is_found<StepsOverTarget>("steps over the target's iteration", exact_counter));
  CHECK(is_found<NotLoadedAgain>("not loaded again after a candidate", skidding));
}
