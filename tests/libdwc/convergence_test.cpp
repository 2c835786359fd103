// Rule by rule: how the second run is led to the position at which the time limit ended the first
// one. What is made of a search that finds nothing: search_verdict_test.cpp.
#include "libdwc/convergence.hpp"

#include "tests/catch.hpp"
#include "tests/libdwc/limited_world.hpp"

using namespace fake;
using End = dwc::PeEnd::Kind;
using Repeats = CounterModel::Repeats;

namespace {

// Four instructions an iteration, from instruction 1 on. At 4 only extended state is not the same.
Program extended_counts_down(std::uint64_t from) {
  return {{.op = Op::Immediate, .a = 6, .value = from},
          {.op = Op::ToExtended, .a = 0, .b = 6},
          {.op = Op::FromExtended, .a = 6, .b = 0},
          {.op = Op::BranchNonzero, .a = 6, .value = 5},
          {.op = Op::SystemCall},
          {.op = Op::Immediate, .a = 6, .value = minus_one},
          {.op = Op::BranchNonzero, .a = 6, .value = 1}};
}

Program repeated_store(std::uint64_t words) {
  return {{.op = Op::Immediate, .a = 3, .value = words},
          {.op = Op::Immediate, .a = 1, .value = 7},
          {.op = Op::RepeatStore, .a = 1, .b = 4, .c = 3},
          {.op = Op::AddImmediate, .a = 1, .value = 1},
          {.op = Op::SystemCall}};
}

Program skipped_instructions() {
  return {{.op = Op::Immediate, .a = 7, .value = 5},
          {.op = Op::AddImmediate, .a = 1, .value = 1},
          {.op = Op::Pause},
          {.op = Op::AddImmediate, .a = 1, .value = 1},
          {.op = Op::Shadow},
          {.op = Op::AddImmediate, .a = 1, .value = 1},
          {.op = Op::AddImmediate, .a = 7, .value = minus_one},
          {.op = Op::BranchNonzero, .a = 7, .value = 1},
          {.op = Op::SystemCall}};
}

}  // namespace

TEST_CASE("the time limit ends both runs at the same instruction, and nothing is to be served") {
  Limited world{count_down(1000), good, 100};
  std::vector<std::uint64_t> lengths;
  world.machine.on_run_ended = [&](dwc::WhichRun) { lengths.push_back(world.machine.retired()); };
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.process.controller().end() == dwc::PeEnd{.kind = End::TimeLimit});
  CHECK(lengths == std::vector<std::uint64_t>{100, 100});
  CHECK(world.live(1) == 1000 - 50);
  CHECK(world.limited() == 1);
  CHECK(world.statistics().converged == 1);
  CHECK(world.statistics().steps == 8);
  CHECK(world.statistics().most_steps == 8);
  CHECK(world.statistics().candidates == 1);
  CHECK(world.statistics().failed_convergences == 0);
  world.process.serve();
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.live(1) == 1000 - 100);
  CHECK(world.statistics().steps == 16);
  CounterModel nearer = good;
  nearer.announced.margin = 5;
  world.machine.use_counter(nearer, 1);
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.statistics().steps == 21);
  CHECK(world.statistics().most_steps == 8);
}

TEST_CASE("every position of every kind of program is found, by every counter, stepping or not") {
  const CounterModel counters[] = {
      {.name = "exact", .announced = {.counts = true, .margin = 1}},
      good,
      {.name = "icount",
       .announced = {.counts = true, .margin = 8},
       .repeats = Repeats::EachIteration,
       .takes_timer = true},
      {.name = "skid", .announced = {.counts = true, .margin = 30}, .skid = 29},
      landmark};
  const Program programs[] = {count_down(40),      memory_counts_down(20), extended_counts_down(20),
                              repeated_store(600), skipped_instructions(), endless_loop()};
  std::uint64_t positions = 0;
  for (const Program& program : programs) {
    for (const bool can_step : {true, false}) {
      for (const CounterModel& counter : counters) {
        for (std::uint64_t length = 1; length < 700; ++length) {
          Limited world{program, counter, length};
          world.machine.can_step = can_step;
          std::uint64_t stopped_at = 0;  // a write fault or a shadow moves it by one
          world.machine.on_run_ended = [&](dwc::WhichRun run) {
            if (run == dwc::WhichRun::First) stopped_at = world.machine.retired();
          };
          REQUIRE(world.process.run_pe() == dwc::Next::Serve);
          if (world.process.controller().end().kind != End::TimeLimit) break;
          Reference reference{program, 2};
          reference.process.run(stopped_at);
          reference.machine.complete();
          INFO(counter.name << ", length " << length);
          CHECK(difference(world.machine, reference.machine).value_or("") == "");
          CHECK(world.statistics().restarts == 0);
          CHECK(world.statistics().steps <=
                (counter.announced.counts ? counter.announced.margin + 4 : 41));
          ++positions;
        }
      }
    }
  }
  CHECK(positions > 10'000);
}

TEST_CASE("a first run that comes to nothing is committed as it is, and the next one gets on") {
  for (const CounterModel& counter : {good, landmark}) {
    Limited world{count_down(1000), counter, 50, {.limit_ticks = 10}};
    world.machine.entry_ticks = 10;
    REQUIRE(world.process.run(2) == dwc::Next::Serve);
    CHECK(world.limited() == 2);
    CHECK(world.statistics().steps == 0);
    world.machine.entry_ticks = 0;
    REQUIRE(world.process.run(1) == dwc::Next::Serve);
    CHECK(world.machine.retired() == 10);
  }
}

TEST_CASE("equal registers are a candidate, and only equal pages and extended state are a match") {
  struct Case {
    Program program;
    std::uint64_t length, period;
  };
  // Both stand where the registers repeat, and so they did 3 times within the margin.
  const Case cases[] = {{memory_counts_down(50), 2 + 5 * 10 + 2, 5},
                        {extended_counts_down(50), 1 + 5 * 10 + 4, 5}};
  for (const Case& c : cases) {
    CounterModel counter = good;
    counter.announced.margin = 3 * c.period;
    Limited world{c.program, counter, c.length};
    std::uint64_t told = 0;
    world.machine.on_run_ended = [&](dwc::WhichRun) { ++told; };
    REQUIRE(world.process.run_pe() == dwc::Next::Serve);
    CHECK(world.machine.retired() == c.length);
    CHECK(world.statistics().candidates == 4);
    CHECK(world.statistics().mismatches.total == 0);
    CHECK(told == 2);  // once in a run, however many positions are compared
  }
}

TEST_CASE("a repeated instruction is one step, or two, however many iterations it has") {
  for (const std::uint64_t length : {std::uint64_t{300}, std::uint64_t{503}}) {
    for (const CounterModel& counter : {good, landmark}) {
      Limited world{repeated_store(500), counter, length};
      REQUIRE(world.process.run_pe() == dwc::Next::Serve);
      CHECK(world.machine.retired() == length);
      CHECK(world.statistics().steps <= 4);
    }
  }
}

TEST_CASE("nothing that the search has armed stays on") {
  for (const CounterModel& counter : {good, landmark}) {
    for (const bool caught : {false, true}) {
      Limited world{count_down(1000), counter, 100};
      world.disturb = [&] {
        if (caught && world.run == dwc::WhichRun::Second && world.machine.retired() == 95 &&
            world.statistics().restarts == 0) {
          world.live(Registers::ip) = 3;  // the system call
        }
      };
      REQUIRE(world.process.run_pe() == dwc::Next::Serve);
      CHECK(world.statistics().restarts == (caught ? 1 : 0));
      CHECK_FALSE(world.machine.timer_armed());
      CHECK_FALSE(world.machine.stop_armed());
    }
  }
}

TEST_CASE("stops that belong to no search are passed over") {
  using Event = dwc::Event<Page>;
  World<> world{touch_pages(1), 1, 4};
  auto& controller = world.process.controller();
  controller.begin();
  for (int run = 0; run < 2; ++run) {
    for (const auto kind : {Event::Kind::Counter, Event::Kind::Step, Event::Kind::Break}) {
      CHECK(controller.handle({.kind = kind}) == dwc::Next::Resume);
    }
    const auto next = controller.handle({.kind = Event::Kind::End});
    CHECK(next == (run == 0 ? dwc::Next::Resume : dwc::Next::Serve));
  }
  CHECK(world.statistics().mismatches.total == 0);
}

TEST_CASE("a write fault of the very first instruction has the time limit begin anew") {
  const Program program{{.op = Op::Store, .a = 1, .b = 4},
                        {.op = Op::AddImmediate, .a = 1, .value = 1},
                        {.op = Op::Immediate, .a = 7, .value = 1},
                        {.op = Op::BranchNonzero, .a = 7, .value = 0}};
  for (const dwc::Policy policy : {dwc::Policy::Rotate, dwc::Policy::Classic}) {
    World<> world{program, 1, 4, {.policy = policy, .limit_ticks = 20}};  // a copy takes 30
    world.machine.use_counter(good, 1);
    for (int pe = 0; pe < 10; ++pe) {
      REQUIRE(world.process.run(1) == dwc::Next::Serve);
      CHECK(world.machine.retired() > 0);
    }
  }
}

TEST_CASE("the first run does not end within the instruction of its last write fault") {
  using Event = dwc::Event<Page>;
  Limited world{memory_counts_down(50), good, 54};
  auto& controller = world.process.controller();
  controller.begin();
  Event event{};
  do {
    event = event_of(world.machine, world.machine.run());
    REQUIRE(controller.handle(event) == dwc::Next::Resume);
  } while (event.kind != Event::Kind::WriteFault);
  const std::uint64_t before = world.machine.retired();
  REQUIRE(before == 2);
  REQUIRE(controller.handle({.kind = Event::Kind::Timer}) == dwc::Next::Resume);  // within it
  CHECK(world.statistics().second_runs == 0);
  CHECK(world.machine.timer_armed());
  world.disturb = [&] {
    if (world.machine.retired() > before) world.machine.arm_timer(1);
  };
  event = event_of(world.machine, world.machine.run());
  CHECK(event.kind == Event::Kind::Timer);
  CHECK(world.machine.retired() > before);
  static_cast<void>(controller.handle(event));
  CHECK(world.statistics().second_runs == 1);
}

TEST_CASE("a write fault on a page of the set does not end the steps") {
  using Event = dwc::Event<Page>;
  Limited world{memory_counts_down(50), good, 54};
  auto& controller = world.process.controller();
  controller.begin();
  bool faulted = false;
  for (dwc::Next next = dwc::Next::Resume; next == dwc::Next::Resume;) {
    Event event = event_of(world.machine, world.machine.run());
    if (event.kind == Event::Kind::Step && !std::exchange(faulted, true)) {
      event = {.kind = Event::Kind::WriteFault, .page = page_of(0)};  // by an old translation, say
    }
    next = controller.handle(event);
  }
  CHECK(world.machine.retired() == 54);
  CHECK(world.statistics().steps == 8);
  CHECK(world.statistics().restarts == 0);
}

TEST_CASE("the second run's time begins anew with the steps, and with every 64 of them") {
  for (const bool takes_timer : {false, true}) {
    CounterModel counter = good;
    counter.announced.margin = 1000;
    counter.takes_timer = takes_timer;
    // 4 * 2000 ticks; a step takes 6 and so 1000 of them would fit, but not behind a run.
    Limited world{count_down(5000), counter, 2000, {.limit_ticks = 1'000'000}};
    world.disturb = [&] {
      world.machine.entry_ticks = world.run == dwc::WhichRun::Second ? 5000 : 0;
    };
    bool armed = false;
    world.machine.on_run_ended = [&](dwc::WhichRun) { armed = world.machine.timer_armed(); };
    REQUIRE(world.process.run_pe() == dwc::Next::Serve);
    CHECK(world.statistics().steps == 1000);
    CHECK(armed);

    counter.announced.margin = 8;
    Limited brief{count_down(5000), counter, 2000};
    brief.machine.on_run_ended = [&](dwc::WhichRun) { armed = brief.machine.timer_armed(); };
    REQUIRE(brief.process.run_pe() == dwc::Next::Serve);
    CHECK(armed);
  }
}

TEST_CASE("a search that a busy machine makes late is waited for once, wherever it stands") {
  for (const std::uint64_t length : {5, 10, 24, 25, 26, 27}) {
    for (std::uint64_t at = 0; at < length; ++at) {
      Limited world{skipped_instructions(), good, length};
      world.disturb = [&] {
        const bool now = world.run == dwc::WhichRun::Second && world.machine.retired() == at;
        if (now) world.machine.arm_timer(1);
      };
      std::uint64_t first_length = 0;  // one more than the limit behind a shadow
      world.machine.on_run_ended = [&](dwc::WhichRun run) {
        if (run == dwc::WhichRun::First) first_length = world.machine.retired();
      };
      REQUIRE(world.process.run_pe() == dwc::Next::Serve);
      INFO("stopped at " << at << " of " << length);
      CHECK(world.statistics().restarts == 0);
      CHECK(world.statistics().converged == 1);
      CHECK(world.machine.retired() == first_length);
      CHECK(world.process.controller().margin() == 8);
    }
  }
}

TEST_CASE("a search that the clock ends has failed, and is no mismatch") {
  for (const CounterModel& counter : {good, landmark}) {
    Limited world{count_down(1000), counter, 100};
    world.disturb = [&] {  // with a counter it is waited for once
      const bool now = world.run == dwc::WhichRun::Second && world.machine.retired() % 30 == 20;
      if (now && world.statistics().restarts == 0) world.machine.arm_timer(1);
    };
    REQUIRE(world.process.run_pe() == dwc::Next::Serve);
    CHECK(world.statistics().failed_convergences == 1);
    CHECK(world.statistics().watchdog_expiries == 1);
    CHECK(world.statistics().mismatches.total == 0);
    CHECK(world.statistics().converged == 1);
  }
}
