// What is made of a search that finds nothing: a mismatch or a failed convergence, what the next
// search learns from it, and what becomes of a PE that stays undecided.
#include "libdwc/convergence.hpp"

#include "tests/catch.hpp"
#include "tests/libdwc/limited_world.hpp"

using namespace fake;
using End = dwc::PeEnd::Kind;
using Lie = CounterModel::Lie;

namespace {

struct CountsMoreInFirstRun : Machine {
  using Machine::Machine;
  void run_begins(dwc::WhichRun begun, const Registers& start) override {
    current = begun;
    Machine::run_begins(begun, start);
  }
  std::uint64_t count() override {
    return Machine::count() + (current == dwc::WhichRun::First ? 50 : 0);
  }
  dwc::WhichRun current = dwc::WhichRun::First;
};

}  // namespace

TEST_CASE("a flip in either run is a mismatch when the counter's word covers the position") {
  for (const dwc::WhichRun run : {dwc::WhichRun::First, dwc::WhichRun::Second}) {
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
  for (const dwc::WhichRun run : {dwc::WhichRun::First, dwc::WhichRun::Second}) {
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
    CHECK(diagnosis.registers.items()[0].word == 2);
  }
}

TEST_CASE("a flipped page or extended state is a mismatch too, and told as such") {
  for (const bool page : {false, true}) {
    Limited world{page ? memory_counts_down(50) : count_down(1000), good, 54};
    world.machine.on_run_ended = [&, armed = true](dwc::WhichRun) mutable {
      if (!std::exchange(armed, false)) return;
      if (page) world.machine.words(world.process.controller().modified(0).work)[99] ^= 1;
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
      const bool now = world.run == dwc::WhichRun::Second && world.machine.retired() == c.at;
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
    if (world.run == dwc::WhichRun::Second && world.machine.retired() == 97) world.live(0) = 77;
    if (world.run == dwc::WhichRun::Second && world.machine.retired() == 98) {
      world.live(Registers::ip) = 3;
    }
  };
  REQUIRE(world.process.run_pe() == dwc::Next::Stop);
  const auto& diagnosis = world.process.controller().diagnosis();
  CHECK(diagnosis.first_rip == 2);
  CHECK(diagnosis.second_rip == 4);
  CHECK(diagnosis.second_end->kind == End::SystemCall);
  REQUIRE(diagnosis.registers.total() == 3);
  CHECK(diagnosis.registers.items()[0].word == 0);
  CHECK(diagnosis.registers.items()[2].word == Registers::ip);
}

TEST_CASE("flipped control bits are a mismatch wherever the search stands") {
  CounterModel late = good;
  late.lie = Lie::NeverOverflows;
  for (const std::uint64_t at : {50u, 95u, 105u}) {
    for (const CounterModel& counter : {good, landmark, late}) {
      if (at > 100 && counter.lie == Lie::None) continue;  // has converged
      Limited world{count_down(1000), counter, 100};
      world.disturb = [&] {
        const bool now = world.run == dwc::WhichRun::Second && world.machine.retired() == at;
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

// Each second run is stopped by its timer, and again when it is waited for: no search can succeed.
void let_no_search_succeed(Limited& world) {
  world.disturb = [&world] {
    if (world.run == dwc::WhichRun::Second && world.machine.retired() >= 1)
      world.machine.arm_timer(1);
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
    world.machine.on_run_ended = [&](dwc::WhichRun run) {
      if (run == dwc::WhichRun::First) lengths.push_back(world.machine.retired());
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

TEST_CASE("without a counter a run that a late timer made long is followed to its end") {
  Limited world{count_down(200'000),
                landmark,
                200'000,
                {.limit_ticks = 100'000'000, .second_run_slack_ticks = 10'000'000}};
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.statistics().converged == 1);
  CHECK(world.statistics().most_steps > dwc::Caution::most);
  CHECK(world.statistics().mismatches.total == 0);
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
  for (unsigned i = 0; i < dwc::Caution::most_halvings; ++i) {
    CHECK(caution.halvings_left() == dwc::Caution::most_halvings - i);
    caution.halve_limit(1);
  }
  CHECK(caution.halvings_left() == 0);
  CHECK(caution.shortened(640) == 10);
  CHECK(caution.shortened(3) == 1);
  caution.lengthen_limit();
  CHECK(caution.shortened(640) == 20);
  for (unsigned i = 0; i < 10 * dwc::Caution::good_ones_to_ease; ++i) caution.converged();
  CHECK(caution.widened(8) == 8);
  CHECK(caution.shortened(640) == 640);
}
