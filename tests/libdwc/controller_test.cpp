// The life of a PE: what ends it, what restarts it, what stops it, and what is told about it.
#include "libdwc/controller.hpp"
#include "tests/catch.hpp"
#include "tests/libdwc/limited_world.hpp"
#include "tests/libdwc/programs.hpp"
#include "tests/libdwc/property.hpp"

using namespace fake;
using End = dwc::PeEnd::Kind;
using Lie = CounterModel::Lie;

namespace {

// Calls `disturb` before instruction `at` of `run`, in the first `attempts` attempts of PE 1.
template <class Disturb>
void disturb_run(World<>& world, dwc::WhichRun run, std::uint64_t at, std::uint64_t attempts,
                 Disturb disturb) {
  world.machine.on_run_begins = [&world, run, at, attempts, disturb](dwc::WhichRun begun) {
    world.machine.before_instruction = nullptr;
    const dwc::Statistics& statistics = world.statistics();
    if (begun != run || statistics.restarts >= attempts || statistics.committed > 0) return;
    world.machine.before_instruction = [&world, at, disturb, armed = true]() mutable {
      if (world.machine.retired() == at && std::exchange(armed, false)) disturb();
    };
  };
}

// Nothing of the PE is to be seen: registers and pages as before it began.
void check_untouched(World<>& world, const Program& program, std::size_t pages) {
  Reference reference{program, pages};
  CHECK(difference(world.machine, reference.machine).value_or("") == "");
}

}  // namespace

TEST_CASE("a PE runs twice, commits once, and then its end is to be served") {
  World<> world{touch_pages(2), 2, 8};
  std::vector<std::string> told;
  world.machine.on_run_begins = [&](dwc::WhichRun run) {
    told.push_back(run == dwc::WhichRun::First ? "first begins" : "second begins");
  };
  world.machine.on_run_ended = [&](dwc::WhichRun run) {
    told.push_back(run == dwc::WhichRun::First ? "first ended" : "second ended");
  };
  CHECK(world.process.controller().pe_number() == 0);
  CHECK(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.process.controller().pe_number() == 1);
  CHECK(world.process.controller().end().kind == End::SystemCall);
  CHECK(told ==
        std::vector<std::string>{"first begins", "first ended", "second begins", "second ended"});
  CHECK(world.process.kernel().log.empty());
  world.process.serve();
  CHECK(world.process.kernel().log == std::vector<std::uint64_t>{1});
}

TEST_CASE("the second run really executes: as many instructions, on frames of its own, from P0") {
  World<> world{touch_pages(3), 3, 12};
  std::vector<std::uint64_t> retired;
  std::vector<Frame> frames;
  std::vector<std::uint64_t> seen;
  world.machine.on_run_begins = [&](dwc::WhichRun) { seen.push_back(world.word(0, 0)); };
  world.machine.on_run_ended = [&](dwc::WhichRun) {
    retired.push_back(world.machine.retired());
    frames.push_back(world.machine.entry(page_of(0)).frame);
    seen.push_back(world.word(0, 0));
  };
  REQUIRE(world.process.run(4) == dwc::Next::Serve);
  REQUIRE(retired.size() == 8);
  for (std::size_t pe = 0; pe < 4; ++pe) {
    CHECK(retired[2 * pe] >= 9);
    CHECK(retired[2 * pe] == retired[2 * pe + 1]);
    CHECK(frames[2 * pe] != frames[2 * pe + 1]);
    const std::uint64_t before = pe, after = pe + 1;
    CHECK(std::vector(seen.begin() + 4 * static_cast<std::ptrdiff_t>(pe),
                      seen.begin() + 4 * static_cast<std::ptrdiff_t>(pe) + 4) ==
          std::vector{before, after, before, after});
  }
}

TEST_CASE("flushed pages are counted, once in each PE") {
  World<> world{touch_pages(2), 2, 8};
  world.machine.pages_to_flush = 5;
  REQUIRE(world.process.run(3) == dwc::Next::Serve);
  CHECK(world.statistics().flushed_pages == 15);
}

TEST_CASE("an exception ends a PE, and both runs must see the same one") {
  const Program program{{.op = Op::Load, .a = 1, .b = 2, .value = 5 * page_bytes},
                        {.op = Op::Undefined}};
  World<> world{program, 1, 4};
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.process.controller().end() == dwc::PeEnd{.kind = End::Exception,
                                                       .vector = page_fault_vector,
                                                       .fault_address = 5 * page_bytes});
  World<> disturbed{program, 1, 4};
  disturb_run(disturbed, dwc::WhichRun::Second, 0, 1, [&] { disturbed.live(2) = page_bytes; });
  REQUIRE(disturbed.process.run_pe() == dwc::Next::Serve);
  CHECK(disturbed.statistics().mismatches.end == 1);
  CHECK(disturbed.process.controller().end().fault_address == 5 * page_bytes);
}

TEST_CASE("ends that differ in any one field are a mismatch, whatever else agrees") {
  using Event = dwc::Event<Page>;
  const dwc::PeEnd first{
      .kind = End::Exception, .vector = 14, .error_code = 4, .fault_address = 0x1000};
  dwc::PeEnd other[] = {first, first, first, first};
  other[0].kind = End::SystemCall;
  other[1].vector = 13;
  other[2].error_code = 5;
  other[3].fault_address = 0x1008;
  for (const dwc::PeEnd& second : other) {
    World<> world{touch_pages(1), 1, 4};
    auto& controller = world.process.controller();
    controller.begin();  // no instruction runs: registers and pages stay alike
    CHECK(controller.handle({.kind = Event::Kind::End, .end = first}) == dwc::Next::Resume);
    CHECK(controller.handle({.kind = Event::Kind::End, .end = second}) == dwc::Next::Resume);
    CHECK(world.statistics().mismatches.total == 1);
    CHECK(world.statistics().mismatches.end == 1);
    CHECK(world.statistics().mismatches.exception == 1);
    CHECK(world.statistics().mismatches.registers == 0);
  }
}

TEST_CASE("a page at which an earlier attempt was refused is unexpected like any other") {
  using Event = dwc::Event<Page>;
  const Event system_call{.kind = Event::Kind::End};
  const Event write{.kind = Event::Kind::WriteFault, .page = page_of(0)};
  World<> world{touch_pages(1), 1, 0};
  auto& controller = world.process.controller();
  controller.begin();
  CHECK(controller.handle(write) == dwc::Next::Resume);  // refused: no frames
  CHECK(controller.handle(system_call) == dwc::Next::Resume);
  CHECK(controller.handle(system_call) == dwc::Next::Resume);
  CHECK(controller.handle(write) == dwc::Next::Resume);
  CHECK(world.statistics().mismatches.end == 2);
  CHECK(world.statistics().mismatches.exception == 0);
  CHECK(controller.diagnosis().second_end->kind == End::UnexpectedWrite);
}

TEST_CASE("a mismatch restarts the PE, and the effect happens once") {
  World<> world{touch_pages(1), 1, 4};
  disturb_run(world, dwc::WhichRun::First, 2, 3, [&] { world.live(1) ^= 0x100; });
  REQUIRE(world.process.run(2) == dwc::Next::Serve);
  CHECK(world.statistics().restarts == 3);
  CHECK(world.statistics().mismatches.total == 3);
  CHECK(world.statistics().mismatches.registers == 3);
  CHECK(world.statistics().mismatches.pages == 3);
  CHECK(world.statistics().first_runs == 3 + 2);
  CHECK(world.process.kernel().log == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("after the last restart the process is stopped as it was before the PE") {
  for (const dwc::Policy policy : {dwc::Policy::Rotate, dwc::Policy::Classic}) {
    for (const std::uint32_t limit : {0u, 3u}) {
      dwc::Settings chosen = settings(policy);
      chosen.restart_limit = limit;
      World<> world{touch_pages(2), 2, 8, chosen};
      disturb_run(world, dwc::WhichRun::Second, 2, 100, [&] { world.live(1) ^= 0x100; });
      CHECK(world.process.run_pe() == dwc::Next::Stop);
      CHECK(world.process.controller().diagnosis().verdict == dwc::Verdict::Divergence);
      CHECK(world.statistics().restarts == limit);
      CHECK(world.statistics().committed == 0);
      check_untouched(world, touch_pages(2), 2);
      world.process.controller().clear();
      CHECK(world.machine.free_frames() == 8);
    }
  }
}

TEST_CASE("restarts are counted in a row: each PE has all of them") {
  World<> world{touch_pages(1), 1, 4};
  std::uint64_t flips = 0;
  world.machine.on_run_ended = [&](dwc::WhichRun run) {
    const std::uint64_t restarts = world.statistics().restarts;
    const bool again = restarts < 3 * world.process.controller().pe_number();
    if (run == dwc::WhichRun::Second && again) ++flips, world.live(2) ^= 1;
  };
  REQUIRE(world.process.run(5) == dwc::Next::Serve);
  CHECK(flips == 15);
  CHECK(world.statistics().restarts == 15);
}

TEST_CASE("the diagnosis names the PE, both ends, where they stand, and the first words") {
  World<> world{touch_pages(2), 2, 8};
  REQUIRE(world.process.run(6) == dwc::Next::Serve);
  world.machine.on_run_ended = [&](dwc::WhichRun run) {
    if (run != dwc::WhichRun::Second) return;
    world.live(2) ^= 0x10;
    world.live(Registers::ip) ^= 1;
    for (const std::size_t page : {0, 1}) {
      const Frame frame = world.process.controller().modified(page).work;
      for (std::size_t word = 7; word < 17; ++word) world.machine.words(frame)[word] = word;
    }
  };
  CHECK(world.process.run_pe() == dwc::Next::Stop);
  const auto& diagnosis = world.process.controller().diagnosis();
  CHECK(diagnosis.pe == 7);
  CHECK(diagnosis.first_end.kind == End::SystemCall);
  REQUIRE(diagnosis.second_end.has_value());
  CHECK(*diagnosis.second_end == diagnosis.first_end);
  CHECK(diagnosis.first_rip == touch_pages(2).size() - 2);
  CHECK(diagnosis.second_rip == (diagnosis.first_rip ^ 1));
  REQUIRE(diagnosis.registers.items().size() == 2);
  CHECK(diagnosis.registers.items()[0].word == 2);
  CHECK(diagnosis.registers.items()[0].first == 0);
  CHECK(diagnosis.registers.items()[0].second == 0x10);
  CHECK(diagnosis.pages.total() == 20);
  REQUIRE(diagnosis.pages.items().size() == 8);
  CHECK(diagnosis.pages.items()[0].page == PageNumber{0});
  CHECK(diagnosis.pages.items()[0].word == 7);
  CHECK(diagnosis.pages.items()[0].first == 0);
  CHECK(diagnosis.pages.items()[7].second == 14);
}

// ---- The snapshot ----

namespace {

// One honest mismatch, and at the same time a flip of what the restart goes back to.
template <class Corrupt>
void corrupt_snapshot(World<>& world, Corrupt corrupt) {
  world.machine.on_run_ended = [&world, corrupt](dwc::WhichRun run) {
    if (run == dwc::WhichRun::First || world.statistics().restarts != 0) return;
    if (world.process.controller().pe_number() != 3) return;
    world.live(2) ^= 1;
    corrupt();
  };
}

dwc::Settings ignoring_check_words(dwc::Policy policy) {
  dwc::Settings chosen = settings(policy);
  chosen.check_words = dwc::CheckWords::Ignore;
  return chosen;
}

}  // namespace

TEST_CASE("flipped snapshot registers are noticed before a restart, unchecked they are committed") {
  for (const dwc::Policy policy : {dwc::Policy::Rotate, dwc::Policy::Classic}) {
    World<> world{touch_pages(1), 1, 4, settings(policy)};
    corrupt_snapshot(world,
                     [&] { world.process.controller().snapshot_registers().word[3] ^= 1 << 9; });
    CHECK(world.process.run(3) == dwc::Next::Stop);
    CHECK(world.process.controller().diagnosis().verdict == dwc::Verdict::SnapshotCorrupt);
    CHECK_FALSE(world.process.controller().diagnosis().corrupt_page.has_value());
    CHECK(world.statistics().snapshot_failures == 1);

    World<> careless{touch_pages(1), 1, 4, ignoring_check_words(policy)};
    corrupt_snapshot(careless,
                     [&] { careless.process.controller().snapshot_registers().word[3] ^= 1 << 9; });
    CHECK(careless.process.run(3) == dwc::Next::Serve);
    CHECK(careless.live(3) == 1 << 9);
  }
}

TEST_CASE("a flipped snapshot page is noticed before a restart, unchecked it is committed") {
  for (const dwc::Policy policy : {dwc::Policy::Rotate, dwc::Policy::Classic}) {
    const auto flip = [](World<>& world) {
      const Frame base = world.process.controller().modified(0).base;
      world.machine.words(base)[100] ^= 1 << 9;
    };
    World<> world{touch_pages(1), 1, 4, settings(policy)};
    corrupt_snapshot(world, [&] { flip(world); });
    CHECK(world.process.run(3) == dwc::Next::Stop);
    CHECK(world.process.controller().diagnosis().verdict == dwc::Verdict::SnapshotCorrupt);
    CHECK(world.process.controller().diagnosis().corrupt_page == PageNumber{0});

    World<> careless{touch_pages(1), 1, 4, ignoring_check_words(policy)};
    corrupt_snapshot(careless, [&] { flip(careless); });
    CHECK(careless.process.run(3) == dwc::Next::Serve);
    CHECK(careless.word(0, 100) == 1 << 9);
  }
}

// ---- Time ----

TEST_CASE("a second run may take four times the first one's user time plus a slack, no more") {
  const Program program{{.op = Op::Immediate, .a = 1, .value = 2000},
                        {.op = Op::AddImmediate, .a = 1, .value = ~std::uint64_t{0}},
                        {.op = Op::BranchNonzero, .a = 1, .value = 1},
                        {.op = Op::SystemCall}};
  const std::uint64_t first_run = 2 * 2000 + 2;
  for (const bool beyond : {false, true}) {
    World<> world{program, 1, 4};
    const std::uint64_t limit = 4 * first_run + 1000;
    // Two instructions an iteration; the loop's own 2000 iterations count too.
    const std::uint64_t more = (limit - first_run) / 2 + (beyond ? 20 : std::uint64_t{0} - 20);
    disturb_run(world, dwc::WhichRun::Second, 1, 1, [&] { world.live(1) += more; });
    CHECK(world.process.run(1) == dwc::Next::Serve);
    CHECK(world.statistics().watchdog_expiries == (beyond ? 1 : 0));
    CHECK(world.statistics().mismatches.end == (beyond ? 1 : 0));
    CHECK(world.statistics().restarts == (beyond ? 1 : 0));
  }
}

TEST_CASE("each restart gives the second run four times the slack, sixteen without a counter") {
  const std::uint64_t first_run = 2 * 2000 + 2;
  for (const bool counts : {false, true}) {
    for (const std::uint64_t late : {10, 20}) {  // times the slack of 1000 beyond the fourfold
      World<> world{count_down(2000), 1, 4};
      world.machine.use_counter({.announced = {.counts = counts, .margin = 8}}, 1);
      const std::uint64_t more = (3 * first_run + late * 1000) / 2;
      world.machine.before_instruction = [&, done = std::uint64_t{0}]() mutable {
        const std::uint64_t runs = world.statistics().second_runs;
        if (runs == done || world.machine.retired() != 1) return;
        done = runs;
        world.live(1) += more;
      };
      CHECK(world.process.run(1) == dwc::Next::Serve);
      const std::uint64_t without_counter = late < 16 ? 1 : 2;
      CHECK(world.statistics().restarts == without_counter + (counts ? 1 : 0));
    }
  }
}

TEST_CASE("without a counter a machine that is kept away for long is waited for in restarts") {
  World<> world{count_down(2000), 1, 4};
  world.machine.on_run_begins = [&](dwc::WhichRun run) {
    world.machine.entry_ticks = run == dwc::WhichRun::Second ? 200'000 : 0;
  };
  CHECK(world.process.run(1) == dwc::Next::Serve);
  CHECK(world.statistics().restarts == 2);
}

namespace {

// The machine is kept away for `ticks` before instruction `at` of each second run.
void keep_away(World<>& world, std::uint64_t at, std::uint64_t ticks) {
  world.machine.on_run_begins = [&world, at, ticks](dwc::WhichRun run) {
    world.machine.before_instruction = [&world, at, ticks, run, once = true]() mutable {
      if (run == dwc::WhichRun::First || world.machine.retired() != at) return;
      if (std::exchange(once, false)) world.machine.pass(ticks);
    };
  };
}

const CounterModel counters_that_interrupt[] = {
    good,
    {.name = "icount", .announced = {.counts = true, .margin = 8}, .takes_timer = true},
    {.name = "stale once", .announced = {.counts = true, .margin = 8}, .lie = Lie::StaleOnce}};

}  // namespace

TEST_CASE("with a counter a second run that is late, but right in count, is waited for at once") {
  for (const CounterModel& counter : counters_that_interrupt) {
    for (const std::uint64_t at : {0, 1, 2000, 4000}) {
      World<> world{count_down(2000), 1, 4};
      world.machine.use_counter(counter, 1);
      keep_away(world, at, 4'000'000);
      CHECK(world.process.run(1) == dwc::Next::Serve);
      CHECK(world.statistics().restarts == 0);
      CHECK(world.statistics().watchdog_expiries == 0);
      CHECK_FALSE(world.machine.stop_armed());
      CHECK_FALSE(world.machine.timer_armed());
    }
  }
}

TEST_CASE("a second run that is waited for is stopped by its count when it runs away") {
  for (const CounterModel& counter : counters_that_interrupt) {
    World<> world{count_down(2000), 1, 4};
    world.machine.use_counter(counter, 1);
    keep_away(world, 1, 100'000);
    std::uint64_t stopped_at = 0;
    world.machine.on_run_begins = [&, begins = world.machine.on_run_begins](dwc::WhichRun run) {
      begins(run);
      const bool astray = run == dwc::WhichRun::Second && world.statistics().restarts == 0;
      if (!astray) return;
      world.machine.before_instruction = [&, wait = world.machine.before_instruction] {
        wait();
        if (world.machine.retired() == 1) world.live(1) = std::uint64_t{1} << 50;
      };
    };
    world.machine.on_run_ended = [&](dwc::WhichRun run) {
      const bool first_attempt = world.statistics().restarts == 0;
      if (first_attempt && run == dwc::WhichRun::Second) stopped_at = world.machine.retired();
    };
    CHECK(world.process.run(1) == dwc::Next::Serve);
    CHECK(world.statistics().watchdog_expiries == 1);
    CHECK(world.statistics().mismatches.end == 1);
    CHECK(world.statistics().restarts == 1);
    CHECK(stopped_at == 2 * 4002 + 8);
    CHECK_FALSE(world.machine.stop_armed());
  }
}

TEST_CASE("a second run is waited for once, however few instructions it has executed") {
  World<> world{count_down(2000), 1, 4};
  world.machine.use_counter(good, 1);
  world.machine.before_instruction = [&] {
    const bool second = world.statistics().second_runs == 1 && world.statistics().restarts == 0;
    if (second && world.machine.retired() % 1000 == 1) world.machine.arm_timer(1);
  };
  CHECK(world.process.run(1) == dwc::Next::Serve);
  CHECK(world.statistics().watchdog_expiries == 1);
  CHECK(world.statistics().restarts == 1);
}

TEST_CASE("a counter that lies makes no wait endless, and nothing wrong is committed") {
  for (const Lie lie :
       {Lie::NeverOverflows, Lie::CountsNothing, Lie::StaleOnce, Lie::StaleAlways, Lie::Garbage}) {
    for (const bool astray : {false, true}) {
      CounterModel liar = good;
      liar.lie = lie;
      World<> world{count_down(2000), 1, 4};
      world.machine.use_counter(liar, 1);
      world.machine.on_run_begins = [&](dwc::WhichRun run) {
        world.machine.entry_ticks = run == dwc::WhichRun::Second ? 50'000 : 0;
      };
      world.machine.before_instruction = [&] {
        const bool strays = astray && world.statistics().second_runs == 1;
        if (strays && world.machine.retired() == 1) world.live(1) = std::uint64_t{1} << 50;
      };
      CHECK(world.process.run(1) == dwc::Next::Serve);
      CHECK(world.live(1) == 0);
      CHECK_FALSE(world.machine.stop_armed());
    }
  }
}

TEST_CASE("the second run's time is measured by the first run of its own attempt") {
  const Program program{{.op = Op::Immediate, .a = 1, .value = 1000},
                        {.op = Op::AddImmediate, .a = 1, .value = ~std::uint64_t{0}},
                        {.op = Op::BranchNonzero, .a = 1, .value = 1},
                        {.op = Op::AddImmediate, .a = 2, .value = 1},
                        {.op = Op::SystemCall}};
  World<> world{program, 1, 4};
  world.machine.use_counter(good, 1);
  // Attempt 1: a first run of 20 times the length. Attempt 2: a second run of 20 times the length,
  // which attempt 1 would have excused.
  world.machine.before_instruction = [&, armed = std::uint64_t{0}]() mutable {
    const bool first = world.statistics().first_runs == 1 && world.statistics().second_runs == 0;
    const bool second = world.statistics().second_runs == 2;
    if (world.machine.retired() != 1 || armed == world.statistics().first_runs) return;
    if (first || second) armed = world.statistics().first_runs, world.live(1) = 20'000;
    if (first) world.live(3) ^= 1;
  };
  CHECK(world.process.run(1) == dwc::Next::Serve);
  CHECK(world.statistics().restarts == 2);
  CHECK(world.statistics().watchdog_expiries == 1);
}

TEST_CASE("the timer is silent while an end is served") {
  World<> world{touch_pages(1), 1, 4};
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK_FALSE(world.machine.timer_armed());
  world.process.serve();
  world.process.controller().begin();
  CHECK(world.machine.timer_armed());
}

TEST_CASE("time is told by phase, and the longest PE includes its restarts") {
  World<> world{touch_pages(10), 10, 40};
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  const dwc::PhaseTicks first = world.statistics().ticks;
  CHECK(first.fault >= 10 * 30);
  CHECK(first.rewind >= 10 * 20);
  CHECK(first.flush == 50);
  CHECK(first.compare_commit >= 10 * 15);
  CHECK(first.first_run >= 24);
  CHECK(first.second_run >= 24);
  const std::uint64_t total = first.load + first.first_run + first.fault + first.rewind +
                              first.flush + first.second_run + first.compare_commit;
  CHECK(total == world.statistics().longest_pe_ticks);

  bool flip = true;
  world.machine.on_run_ended = [&](dwc::WhichRun) {
    world.live(2) ^= std::exchange(flip, false) ? 1 : 0;
  };
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  const std::uint64_t longest = world.statistics().longest_pe_ticks;
  CHECK(longest > total);
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  CHECK(world.statistics().longest_pe_ticks == longest);
}

// ---- Control bits, machine checks ----

TEST_CASE("each failed attempt of the last PE is told, with the time by phase up to its end") {
  World<> world{touch_pages(1), 1, 4};
  REQUIRE(world.process.run(2) == dwc::Next::Serve);
  auto& controller = world.process.controller();
  CHECK(controller.abandoned().total() == 0);
  const std::uint64_t first_runs_before = world.statistics().ticks.first_run;
  world.machine.on_run_ended = [&](dwc::WhichRun run) {
    if (run == dwc::WhichRun::Second && world.statistics().restarts < 2) world.live(2) ^= 1;
  };
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(controller.ticks_before().first_run == first_runs_before);
  REQUIRE(controller.abandoned().total() == 2);
  const dwc::PhaseTicks end = world.statistics().ticks;
  dwc::PhaseTicks from = controller.ticks_before();
  std::vector<std::uint64_t> rewinds;
  for (const dwc::AbandonedAttempt& attempt : controller.abandoned().items()) {
    CHECK(attempt.failure == dwc::Failure::Mismatch);
    CHECK(attempt.ticks.first_run > from.first_run);
    CHECK(attempt.ticks.second_run > from.second_run);
    rewinds.push_back(attempt.ticks.rewind - from.rewind);
    CHECK(attempt.ticks.first_run < end.first_run);
    from = attempt.ticks;
  }
  // A failed attempt has the way back to the snapshot, too.
  for (const std::uint64_t ticks : rewinds) CHECK(ticks > end.rewind - from.rewind);
  world.process.serve();
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(controller.abandoned().total() == 0);
}

TEST_CASE("a run whose interrupt flag or privilege level has flipped is given up and restarted") {
  for (const dwc::WhichRun run : {dwc::WhichRun::First, dwc::WhichRun::Second}) {
    for (const std::uint64_t bit :
         {interrupt_flag, std::uint64_t{1} << 12, std::uint64_t{1} << 13}) {
      World<> world{touch_pages(1), 1, 4};
      disturb_run(world, run, 2, 1, [&] { world.live(Registers::flags) ^= bit; });
      CHECK(world.process.run(1) == dwc::Next::Serve);
      CHECK(world.statistics().mismatches.end == 1);
      CHECK(world.statistics().mismatches.total == 1);
      CHECK(world.statistics().second_runs == (run == dwc::WhichRun::First ? 1 : 2));
      CHECK(world.live(Registers::flags) == interrupt_flag);
      CHECK(world.word(0, 0) == 1);
    }
  }
}

TEST_CASE("a recoverable machine check restarts the PE and is no mismatch") {
  for (const dwc::WhichRun run : {dwc::WhichRun::First, dwc::WhichRun::Second}) {
    World<> world{touch_pages(1), 1, 4};
    disturb_run(world, run, 4, 2, [&] { world.machine.machine_check_pending = true; });
    CHECK(world.process.run(1) == dwc::Next::Serve);
    CHECK(world.statistics().machine_checks == 2);
    CHECK(world.statistics().restarts == 2);
    CHECK(world.statistics().mismatches.total == 0);
    CHECK(world.word(0, 0) == 1);

    World<> hopeless{touch_pages(1), 1, 4};
    disturb_run(hopeless, run, 4, 100, [&] { hopeless.machine.machine_check_pending = true; });
    CHECK(hopeless.process.run(1) == dwc::Next::Stop);
    CHECK(hopeless.process.controller().diagnosis().verdict == dwc::Verdict::MachineCheck);
    check_untouched(hopeless, touch_pages(1), 1);
  }
}

TEST_CASE("committed PEs are counted by end and by the number of pages they modified") {
  World<> world{sweep(10), 10, 40, {.page_budget = 4}};
  REQUIRE(world.process.run() == dwc::Next::Serve);
  const dwc::Statistics& statistics = world.statistics();
  CHECK(statistics.committed == 3);
  CHECK(statistics.by_end[static_cast<std::size_t>(End::PageBudget)] == 2);
  CHECK(statistics.by_end[static_cast<std::size_t>(End::SystemCall)] == 1);
  CHECK(statistics.modified_pages[dwc::Statistics::page_bucket(4)] == 2);
  CHECK(statistics.modified_pages[dwc::Statistics::page_bucket(2)] == 1);
}
