// Which instruction is named when a PE's runs keep differing, and that the process stands at the
// PE's start whether one was found or not.
#include "libdwc/trace.hpp"

#include <vector>

#include "tests/catch.hpp"
#include "tests/libdwc/programs.hpp"
#include "tests/libdwc/property.hpp"

using namespace fake;

namespace {

using Kind = dwc::Event<Page>::Kind;

constexpr std::uint64_t minus_one = ~std::uint64_t{0};

// A machine with a process whose PEs are traced when they are given up.
struct Traced {
  Traced(const Program& program, std::size_t pages, std::size_t spare_frames,
         std::size_t room = 4096)
      : digests(room), machine{program, pages, pages + spare_frames} {
    for (std::size_t i = 0; i < pages; ++i) machine.give_page(page_of(i), true);
  }
  const dwc::Diagnosis<PageNumber>& diagnosis() { return process.controller().diagnosis(); }

  std::vector<std::uint32_t> digests;
  Machine machine;
  Process<Machine> process{machine, settings(), digests};
};

// Stores to two pages, loops, repeats a store, steps over a pause: then asks for chance, mixes it
// with memory, and calls.
Program chance_after_work() {
  return {{.op = Op::Immediate, .a = 4, .value = page_bytes},
          {.op = Op::Store, .a = 1, .b = 4},
          {.op = Op::StorePair, .a = 1, .b = 5, .c = 4},
          {.op = Op::Immediate, .a = 3, .value = 40},
          {.op = Op::RepeatStore, .a = 1, .b = 4, .c = 3},
          {.op = Op::Immediate, .a = 6, .value = 30},
          {.op = Op::AddImmediate, .a = 6, .value = minus_one},
          {.op = Op::BranchNonzero, .a = 6, .value = 6},
          {.op = Op::Pause},
          {.op = Op::ToExtended, .a = 1, .b = 4},
          {.op = Op::FromExtended, .a = 7, .b = 2},
          {.op = Op::BranchNonzero, .a = 7, .value = 14},  // when it is not loaded
          {.op = Op::Chance, .a = 2},
          {.op = Op::Store, .a = 2, .b = 5},
          {.op = Op::SystemCall}};
}
constexpr std::uint64_t chance_at = 12;

// Calls `tell` before each event of the trace; what it returns is handled in the event's place.
template <class Tell>
dwc::Next run_pe_with_extra_events(Traced& traced, Tell tell) {
  auto& controller = traced.process.controller();
  controller.begin();
  for (std::uint64_t traced_events = 0;;) {
    dwc::Event<Page> event = event_of(traced.machine, traced.machine.run());
    dwc::Next next = controller.handle(event);
    if (next != dwc::Next::Resume) return next;
    if (traced.process.statistics().mismatches.total < 4) continue;
    if (const auto extra = tell(traced_events++)) next = controller.handle({.kind = *extra});
    if (next != dwc::Next::Resume) return next;
  }
}

void check_stopped_at_start(Traced& traced, const Program& program, std::size_t pages) {
  Reference reference{program, pages};
  CHECK(difference(traced.machine, reference.machine).value_or("") == "");
}

}  // namespace

TEST_CASE("an instruction that gives another result each time is named, at the PE's start") {
  Traced traced{chance_after_work(), 3, 12};
  REQUIRE(traced.process.run_pe() == dwc::Next::Stop);
  CHECK(traced.diagnosis().verdict == dwc::Verdict::Nondeterministic);
  CHECK(traced.diagnosis().culprit == chance_at);
  CHECK(traced.process.statistics().mismatches.total == 4);
  CHECK(traced.process.statistics().first_runs == 4);
  check_stopped_at_start(traced, chance_after_work(), 3);
  traced.process.controller().clear();
  CHECK(traced.machine.free_frames() == 12);
}

TEST_CASE("without room for digests nothing is traced") {
  Traced traced{chance_after_work(), 3, 12, 0};
  REQUIRE(traced.process.run_pe() == dwc::Next::Stop);
  CHECK(traced.diagnosis().verdict == dwc::Verdict::Divergence);
  CHECK_FALSE(traced.diagnosis().culprit);
}

TEST_CASE("the trace ends with its room: what lies beyond is not named") {
  for (const std::size_t room : {1u, 2u, 20u, 65u}) {
    Traced traced{chance_after_work(), 3, 12, room};
    REQUIRE(traced.process.run_pe() == dwc::Next::Stop);
    CHECK(traced.diagnosis().verdict == dwc::Verdict::Divergence);
    check_stopped_at_start(traced, chance_after_work(), 3);
  }
}

TEST_CASE("a PE that the time limit ends is traced, too, with a counter and without") {
  Program program{{.op = Op::Immediate, .a = 1, .value = 1},
                  {.op = Op::Chance, .a = 2},
                  {.op = Op::BranchNonzero, .a = 1, .value = 0}};
  const CounterModel good{.name = "good", .announced = {.counts = true, .margin = 8}};
  for (const CounterModel& counter : {good, CounterModel{.name = "landmark"}}) {
    Traced traced{program, 1, 4};
    traced.machine.use_counter(counter, 1);
    REQUIRE(traced.process.run_pe() == dwc::Next::Stop);
    CHECK(traced.diagnosis().verdict == dwc::Verdict::Nondeterministic);
    CHECK(traced.diagnosis().culprit == 1);
    check_stopped_at_start(traced, program, 1);
  }
}

TEST_CASE("what differs no more in the trace stays a divergence") {
  const Program program = touch_pages(2);
  Traced traced{program, 2, 8};
  const auto& statistics = traced.process.statistics();
  traced.machine.on_run_begins = [&](dwc::WhichRun run) {
    if (run == dwc::WhichRun::Second) traced.machine.registers().word[2] ^= 4;
  };
  REQUIRE(traced.process.run_pe() == dwc::Next::Stop);
  CHECK(statistics.restarts == 3);
  CHECK(traced.diagnosis().verdict == dwc::Verdict::Divergence);
  CHECK_FALSE(traced.diagnosis().culprit);
  check_stopped_at_start(traced, program, 2);
}

TEST_CASE("a step that executes nothing, an NMI's, puts no pass out of step") {
  Traced traced{chance_after_work(), 3, 12};
  const dwc::Next next = run_pe_with_extra_events(traced, [](std::uint64_t at) {
    return at == 20 ? std::optional{Kind::Step} : std::nullopt;  // in the first pass
  });
  REQUIRE(next == dwc::Next::Stop);
  CHECK(traced.diagnosis().culprit == chance_at);
}

TEST_CASE("stale events of the counter are passed over") {
  Traced traced{chance_after_work(), 3, 12};
  const dwc::Next next = run_pe_with_extra_events(traced, [](std::uint64_t at) {
    return at % 9 == 8 ? std::optional{Kind::Counter} : std::nullopt;
  });
  REQUIRE(next == dwc::Next::Stop);
  CHECK(traced.diagnosis().culprit == chance_at);
}

TEST_CASE("the timer ends a pass, whatever the clock says: none would come after it") {
  Traced traced{chance_after_work(), 3, 12};
  std::uint64_t after = 0;
  const dwc::Next next = run_pe_with_extra_events(traced, [&](std::uint64_t at) {
    after += at > 20 ? 1 : 0;
    return at == 20 ? std::optional{Kind::Timer} : std::nullopt;  // in the first pass
  });
  REQUIRE(next == dwc::Next::Stop);
  CHECK(traced.diagnosis().verdict == dwc::Verdict::Divergence);
  CHECK(after <= 21);  // the second pass goes no further than the first one
  check_stopped_at_start(traced, chance_after_work(), 3);
}

TEST_CASE("a second pass that gets further than the first one names nothing") {
  Traced traced{chance_after_work(), 3, 12};
  const dwc::Next next = run_pe_with_extra_events(traced, [](std::uint64_t at) {
    return at == 20 ? std::optional{Kind::MachineCheck} : std::nullopt;
  });
  REQUIRE(next == dwc::Next::Stop);
  CHECK(traced.diagnosis().verdict == dwc::Verdict::Divergence);
  check_stopped_at_start(traced, chance_after_work(), 3);
}

TEST_CASE("a jump to itself ends the trace as any other program does") {
  Traced traced{{{.op = Op::Chance, .a = 2},
                 {.op = Op::Immediate, .a = 1, .value = 1},
                 {.op = Op::BranchNonzero, .a = 1, .value = 2}},
                1,
                4};
  REQUIRE(traced.process.run_pe() == dwc::Next::Stop);
  CHECK(traced.diagnosis().culprit == 0);
  Traced steady{
      {{.op = Op::Immediate, .a = 1, .value = 1}, {.op = Op::BranchNonzero, .a = 1, .value = 1}},
      1,
      4};
  steady.machine.on_run_begins = [&](dwc::WhichRun run) {
    if (run == dwc::WhichRun::Second) steady.machine.registers().word[2] ^= 4;
  };
  REQUIRE(steady.process.run_pe() == dwc::Next::Stop);
  CHECK_FALSE(steady.diagnosis().culprit);
}

TEST_CASE("a snapshot that the first pass finds changed is told of") {
  Traced traced{chance_after_work(), 3, 12};
  const dwc::Next next = run_pe_with_extra_events(traced, [&](std::uint64_t at) {
    if (at == 0) traced.process.controller().snapshot_registers().words()[0] ^= 1;
    return std::optional<Kind>{};
  });
  REQUIRE(next == dwc::Next::Stop);
  CHECK(traced.diagnosis().verdict == dwc::Verdict::SnapshotCorrupt);
}
