// Rule by rule: how the second run is led to the position at which the time limit ended the first
// one, what is made of a search that finds nothing, and what the next one learns from it.
#include "libdwc/convergence.hpp"

#include "tests/catch.hpp"
#include "tests/libdwc/programs.hpp"
#include "tests/libdwc/property.hpp"

using namespace fake;
using End = dwc::PeEnd::Kind;
using Lie = CounterModel::Lie;
using Repeats = CounterModel::Repeats;

namespace {

constexpr std::uint64_t minus_one = ~std::uint64_t{0};
constexpr CounterModel good{.name = "good", .announced = {.counts = true, .margin = 8}};
constexpr CounterModel landmark{.name = "landmark"};

// Two instructions an iteration, from instruction 1 on.
Program count_down(std::uint64_t from) {
  return {{.op = Op::Immediate, .a = 1, .value = from},
          {.op = Op::AddImmediate, .a = 1, .value = minus_one},
          {.op = Op::BranchNonzero, .a = 1, .value = 1},
          {.op = Op::SystemCall}};
}

// Five instructions an iteration, from instruction 2 on. At 4 every register is always the same.
Program memory_counts_down(std::uint64_t from) {
  return {{.op = Op::Immediate, .a = 4, .value = 8},
          {.op = Op::Immediate, .a = 6, .value = from},
          {.op = Op::Store, .a = 6, .b = 4},
          {.op = Op::Immediate, .a = 6, .value = 0},
          {.op = Op::Load, .a = 6, .b = 4},
          {.op = Op::AddImmediate, .a = 6, .value = minus_one},
          {.op = Op::BranchNonzero, .a = 6, .value = 2},
          {.op = Op::SystemCall}};
}

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

// A World whose first run of each PE the timer ends behind `length` instructions.
struct Limited : World<> {
  static dwc::Settings far() {
    return {.limit_ticks = 1'000'000, .second_run_slack_ticks = 100'000};
  }

  Limited(const Program& program, const CounterModel& counter, std::uint64_t length,
          const dwc::Settings& chosen = far())
      : World<>{program, 2, 8, chosen} {
    machine.use_counter(counter, 1);
    machine.on_run_begins = [this](dwc::Run begun) { run = begun; };
    machine.before_instruction = [this, length] {
      if (run == dwc::Run::First && machine.retired() + 1 == length) machine.arm_timer(1);
      if (disturb) disturb();
    };
  }

  std::uint64_t limited() const {
    return statistics().by_end[static_cast<std::size_t>(End::TimeLimit)];
  }

  dwc::Run run = dwc::Run::First;
  std::function<void()> disturb;  // before each instruction
};

struct CountsMoreInFirstRun : Machine {
  using Machine::Machine;
  void run_begins(dwc::Run begun) {
    current = begun;
    Machine::run_begins(begun);
  }
  std::uint64_t count() { return Machine::count() + (current == dwc::Run::First ? 50 : 0); }
  dwc::Run current = dwc::Run::First;
};

}  // namespace

TEST_CASE("the time limit ends both runs at the same instruction, and nothing is to be served") {
  Limited world{count_down(1000), good, 100};
  std::vector<std::uint64_t> lengths;
  world.machine.on_run_ended = [&](dwc::Run) { lengths.push_back(world.machine.retired()); };
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

TEST_CASE("every position of every kind of program is found, with every counter and without one") {
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
    for (const CounterModel& counter : counters) {
      for (std::uint64_t length = 1; length < 700; ++length) {
        Limited world{program, counter, length};
        std::uint64_t stopped_at = 0;  // a write fault or a shadow moves it by one
        world.machine.on_run_ended = [&](dwc::Run run) {
          if (run == dwc::Run::First) stopped_at = world.machine.retired();
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
  CHECK(positions > 5'000);
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
    world.machine.on_run_ended = [&](dwc::Run) { ++told; };
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
        if (caught && world.run == dwc::Run::Second && world.machine.retired() == 95 &&
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

// ---- Time ----

TEST_CASE("the second run's time begins anew with the steps, and with every 64 of them") {
  for (const bool takes_timer : {false, true}) {
    CounterModel counter = good;
    counter.announced.margin = 1000;
    counter.takes_timer = takes_timer;
    // 4 * 2000 ticks; a step takes 6 and so 1000 of them would fit, but not behind a run.
    Limited world{count_down(5000), counter, 2000, {.limit_ticks = 1'000'000}};
    world.disturb = [&] { world.machine.entry_ticks = world.run == dwc::Run::Second ? 5000 : 0; };
    bool armed = false;
    world.machine.on_run_ended = [&](dwc::Run) { armed = world.machine.timer_armed(); };
    REQUIRE(world.process.run_pe() == dwc::Next::Serve);
    CHECK(world.statistics().steps == 1000);
    CHECK(armed);

    counter.announced.margin = 8;
    Limited brief{count_down(5000), counter, 2000};
    brief.machine.on_run_ended = [&](dwc::Run) { armed = brief.machine.timer_armed(); };
    REQUIRE(brief.process.run_pe() == dwc::Next::Serve);
    CHECK(armed);
  }
}

TEST_CASE("a search that the clock ends has failed, and is no mismatch") {
  for (const CounterModel& counter : {good, landmark}) {
    Limited world{count_down(1000), counter, 100};
    world.disturb = [&] {
      const bool now = world.run == dwc::Run::Second && world.machine.retired() == 50;
      if (now && world.statistics().restarts == 0) world.machine.arm_timer(1);
    };
    REQUIRE(world.process.run_pe() == dwc::Next::Serve);
    CHECK(world.statistics().failed_convergences == 1);
    CHECK(world.statistics().watchdog_expiries == 1);
    CHECK(world.statistics().mismatches.total == 0);
    CHECK(world.statistics().converged == 1);
  }
}

// ---- Mismatch or failed convergence ----

TEST_CASE("a flip in either run is a mismatch when the counter's word covers the position") {
  for (const dwc::Run run : {dwc::Run::First, dwc::Run::Second}) {
    Limited world{count_down(1000), good, 100};
    world.disturb = [&, armed = true]() mutable {
      if (world.run == run && world.machine.retired() == 20 && std::exchange(armed, false)) {
        world.live(2) ^= 0x40;
      }
    };
    REQUIRE(world.process.run_pe() == dwc::Next::Serve);
    CHECK(world.statistics().mismatches.total == 1);
    CHECK(world.statistics().mismatches.registers == 1);
    CHECK(world.statistics().mismatches.end == 0);
    CHECK(world.statistics().failed_convergences == 0);
    CHECK(world.process.controller().margin() == 8);
    CHECK(world.live(2) == 0);
  }
  dwc::Settings chosen = Limited::far();
  chosen.restart_limit = 0;
  for (const dwc::Run run : {dwc::Run::First, dwc::Run::Second}) {
    Limited world{count_down(1000), good, 100, chosen};
    world.disturb = [&] {
      if (world.run == run && world.machine.retired() == 20) world.live(2) ^= 0x40;
    };
    REQUIRE(world.process.run_pe() == dwc::Next::Stop);
    const auto& diagnosis = world.process.controller().diagnosis();
    CHECK(diagnosis.verdict == dwc::Verdict::Divergence);
    CHECK(diagnosis.first_end.kind == End::TimeLimit);
    REQUIRE(diagnosis.second_end.has_value());
    CHECK(diagnosis.second_end->kind == End::TimeLimit);
    REQUIRE(diagnosis.registers.total() == 1);  // at the position with the fewest differences
    CHECK(diagnosis.registers.items()[0].index == 2);
  }
}

TEST_CASE("a flipped page or extended state is a mismatch too, and told as such") {
  for (const bool page : {false, true}) {
    Limited world{page ? memory_counts_down(50) : count_down(1000), good, 54};
    world.machine.on_run_ended = [&, armed = true](dwc::Run) mutable {
      if (!std::exchange(armed, false)) return;
      if (page) world.machine.words(world.process.controller().modified_frame(0))[99] ^= 1;
      if (!page) world.live(Registers::first_extended + 1) ^= 1;
    };
    REQUIRE(world.process.run_pe() == dwc::Next::Serve);
    CHECK(world.statistics().mismatches.total == 1);
    CHECK(world.statistics().mismatches.pages == (page ? 1 : 0));
    CHECK(world.statistics().mismatches.registers == (page ? 0 : 1));
    CHECK(world.word(0, 99) == 0);
  }
}

TEST_CASE("another end is a mismatch before the first run's count, and a failed search behind it") {
  struct Case {
    CounterModel counter;
    std::uint64_t at;
    bool mismatch;
  };
  CounterModel late = good;
  late.lie = Lie::NeverOverflows;
  const Case cases[] = {{good, 50, true}, {good, 95, true},   {landmark, 50, true},
                        {late, 50, true}, {late, 110, false}, {late, 300, false}};
  for (const Case& c : cases) {
    Limited world{count_down(1000), c.counter, 100};
    world.disturb = [&] {
      const bool now = world.run == dwc::Run::Second && world.machine.retired() == c.at;
      if (now && world.statistics().restarts == 0) world.live(Registers::ip) = 3;
    };
    REQUIRE(world.process.run_pe() == dwc::Next::Serve);
    INFO(c.counter.name << " at " << c.at);
    CHECK(world.statistics().mismatches.end == (c.mismatch ? 1 : 0));
    CHECK(world.process.controller().diagnosis().second_end->kind == End::SystemCall);
    CHECK(world.statistics().failed_convergences >= (c.mismatch ? 0 : 1));
  }
}

TEST_CASE("the diagnosis of another end tells where it came and what differs there") {
  dwc::Settings chosen = Limited::far();
  chosen.restart_limit = 0;
  Limited world{count_down(1000), good, 100, chosen};
  world.disturb = [&] {
    if (world.run == dwc::Run::Second && world.machine.retired() == 97) world.live(0) = 77;
    if (world.run == dwc::Run::Second && world.machine.retired() == 98) {
      world.live(Registers::ip) = 3;
    }
  };
  REQUIRE(world.process.run_pe() == dwc::Next::Stop);
  const auto& diagnosis = world.process.controller().diagnosis();
  CHECK(diagnosis.first_rip == 2);
  CHECK(diagnosis.second_rip == 4);
  CHECK(diagnosis.second_end->kind == End::SystemCall);
  REQUIRE(diagnosis.registers.total() == 3);
  CHECK(diagnosis.registers.items()[0].index == 0);
  CHECK(diagnosis.registers.items()[2].index == Registers::ip);
}

TEST_CASE("flipped control bits are a mismatch wherever the search stands") {
  CounterModel late = good;
  late.lie = Lie::NeverOverflows;
  for (const std::uint64_t at : {50u, 95u, 105u}) {
    for (const CounterModel& counter : {good, landmark, late}) {
      if (at > 100 && counter.lie == Lie::None) continue;  // has converged
      Limited world{count_down(1000), counter, 100};
      world.disturb = [&] {
        const bool now = world.run == dwc::Run::Second && world.machine.retired() == at;
        if (now && world.statistics().restarts == 0) world.live(Registers::flags) ^= interrupt_flag;
      };
      REQUIRE(world.process.run_pe() == dwc::Next::Serve);
      CHECK(world.statistics().mismatches.total == 1);
      CHECK(world.statistics().mismatches.end == 1);
    }
  }
}

TEST_CASE("a late overflow is a failed convergence: the margin grows, and is eased again") {
  CounterModel late = good;
  late.skid = 100'000;
  Limited world{count_down(10'000'000), late, 1000, [] {
                  dwc::Settings chosen = Limited::far();
                  chosen.restart_limit = 10;
                  return chosen;
                }()};
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  CHECK(world.statistics().failed_convergences == 4);  // then the margin covers the whole run
  CHECK(world.statistics().mismatches.total == 0);
  CHECK(world.process.controller().margin() == 8 << 8);
  CHECK(world.machine.retired() == 1000);
  world.machine.use_counter(good, 1);
  REQUIRE(world.process.run(62) == dwc::Next::Serve);
  CHECK(world.process.controller().margin() == 8 << 8);
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  CHECK(world.process.controller().margin() == 8 << 6);
  REQUIRE(world.process.run(3 * 64) == dwc::Next::Serve);
  CHECK(world.process.controller().margin() == 8);
}

TEST_CASE("an overflow that comes too early is asked for again, up to 16 times") {
  CounterModel stale = good;
  stale.lie = Lie::StaleOnce;
  Limited world{count_down(1000), stale, 100};
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.statistics().steps == 8);
  CHECK(world.statistics().failed_convergences == 0);

  stale.lie = Lie::StaleAlways;
  Limited hopeless{count_down(1000), stale, 100};
  REQUIRE(hopeless.process.run_pe() == dwc::Next::Serve);
  CHECK(hopeless.statistics().failed_convergences == 2);  // then the margin covers the whole run
  CHECK(hopeless.statistics().mismatches.total == 0);
}

TEST_CASE("the last attempt does without the counter, and what it shows widens the margin") {
  CounterModel silent = good;
  silent.lie = Lie::CountsNothing;
  Limited world{count_down(1000), silent, 100};
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.machine.retired() == 100);
  CHECK(world.statistics().mismatches.total == 3);
  CHECK(world.statistics().restarts == 3);
  CHECK(world.process.controller().margin() == 8);  // 0 here as there: no proof

  // The second run is always stopped behind the position, and nothing looks wrong about it.
  World<CountsMoreInFirstRun> beyond{count_down(100'000), 2, 8, {.limit_ticks = 300}};
  beyond.machine.use_counter(good, 1);
  REQUIRE(beyond.process.run(1) == dwc::Next::Serve);
  CHECK(beyond.machine.retired() == 300);
  CHECK(beyond.statistics().mismatches.total == 3);
  CHECK(beyond.process.controller().margin() == 32);
  REQUIRE(beyond.process.run(1) == dwc::Next::Serve);
  CHECK(beyond.statistics().mismatches.total == 6);
  CHECK(beyond.process.controller().margin() == 128);
  REQUIRE(beyond.process.run(60) == dwc::Next::Serve);
  CHECK(beyond.statistics().mismatches.total == 6);
}

// ---- What stays undecided ----

namespace {

// Each second run is stopped by its timer: no search can succeed.
void let_no_search_succeed(Limited& world) {
  world.disturb = [&world] {
    if (world.run == dwc::Run::Second && world.machine.retired() == 1) world.machine.arm_timer(1);
  };
}

}  // namespace

TEST_CASE("searches that keep failing halve the limit, down to a 64th, then the program stops") {
  for (const CounterModel& counter : {good, landmark}) {
    dwc::Settings chosen = Limited::far();
    chosen.limit_ticks = 640;
    chosen.restart_limit = 2;
    Limited world{count_down(100'000), counter, 0, chosen};
    let_no_search_succeed(world);
    std::vector<std::uint64_t> lengths;
    world.machine.on_run_ended = [&](dwc::Run run) {
      if (run == dwc::Run::First) lengths.push_back(world.machine.retired());
    };
    CHECK(world.process.run_pe() == dwc::Next::Stop);
    const auto& diagnosis = world.process.controller().diagnosis();
    CHECK(diagnosis.verdict == dwc::Verdict::Unresolved);
    CHECK(diagnosis.first_end.kind == End::TimeLimit);
    CHECK(diagnosis.second_end->kind == End::Watchdog);
    CHECK(world.statistics().mismatches.total == 0);
    CHECK(world.statistics().failed_convergences == lengths.size());
    if (counter.announced.counts) {
      CHECK(lengths == std::vector<std::uint64_t>{640, 640, 640, 320, 320, 320, 160,
                                                  160, 160, 80,  80,  80,  40,  40,
                                                  40,  20,  20,  20,  10,  10,  10});
      CHECK(world.statistics().unresolved == 7);
    } else {  // arrivals cost time: each failure halves
      CHECK(lengths == std::vector<std::uint64_t>{640, 320, 160, 40, 20, 10});
      CHECK(world.statistics().unresolved == 2);
    }
    Reference reference{count_down(100'000), 2};
    CHECK(difference(world.machine, reference.machine).value_or("") == "");
    world.process.controller().clear();
    CHECK(world.machine.free_frames() == 8);
  }
}

TEST_CASE("a limit that was halved to less than it takes to get on grows again at once") {
  Limited world{
      count_down(100'000), good, 0, {.limit_ticks = 640, .second_run_slack_ticks = 10'000}};
  let_no_search_succeed(world);
  world.disturb = [&world, fail = world.disturb] {
    if (world.statistics().unresolved < 5) fail();
  };
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  CHECK(world.machine.retired() == 640 >> 5);
  world.machine.entry_ticks = 100;
  REQUIRE(world.process.run(4) == dwc::Next::Serve);  // 20, 40, 80: nothing; 160
  CHECK(world.machine.retired() == 60);
}

TEST_CASE("without a counter a loop with too many arrivals is cut shorter until it converges") {
  Limited world{
      count_down(100'000), landmark, 0, {.limit_ticks = 20'000, .second_run_slack_ticks = 100'000}};
  REQUIRE(world.process.run(3) == dwc::Next::Serve);
  CHECK(world.statistics().failed_convergences == 2);  // 256 < 10,000, 1,024 < 5,000 arrivals
  CHECK(world.statistics().converged == 3);
  CHECK(world.statistics().mismatches.total == 0);
  CHECK(world.statistics().most_steps == 2500);
  CHECK(world.live(1) == 100'000 - 3 * 2500);
}

TEST_CASE("runs that keep differing within the counter's word are a divergence, not unresolved") {
  for (const std::uint32_t limit : {0u, 3u}) {
    dwc::Settings chosen = Limited::far();
    chosen.restart_limit = limit;
    Limited world{count_down(100'000'000), good, 100, chosen};
    world.disturb = [&, n = std::uint64_t{0}]() mutable {  // RDRAND, say
      if (world.machine.retired() == 5) world.live(2) = ++n;
    };
    CHECK(world.process.run_pe() == dwc::Next::Stop);
    CHECK(world.process.controller().diagnosis().verdict == dwc::Verdict::Divergence);
    CHECK(world.statistics().mismatches.total >= (limit == 0 ? 1 : 3));
  }
}

// ---- What is learned ----

TEST_CASE("caution: four times as much for each failure, up to a cap, and half the limit each") {
  dwc::Caution caution;
  CHECK(caution.widened(8) == 8);
  CHECK(caution.shortened(0) == 0);  // no limit stays none
  CHECK(caution.shortened(200) == 200);
  caution.widen();
  CHECK(caution.widened(8) == 32);
  for (int i = 0; i < 20; ++i) caution.widen();
  CHECK(caution.widened(8) == dwc::Caution::most);
  CHECK(caution.widened(100'000) == 100'000);
  for (unsigned i = 0; i < dwc::Caution::most_halvings; ++i) CHECK(caution.halve_limit());
  CHECK_FALSE(caution.halve_limit());
  CHECK(caution.shortened(640) == 10);
  CHECK(caution.shortened(3) == 1);
  caution.lengthen_limit();
  CHECK(caution.shortened(640) == 20);
  for (unsigned i = 0; i < 10 * dwc::Caution::good_ones_to_ease; ++i) caution.converged();
  CHECK(caution.widened(8) == 8);
  CHECK(caution.shortened(640) == 640);
}
