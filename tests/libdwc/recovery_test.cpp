// How thorough a restart is: whatever one run has read wrong, however clean the page, is not there
// when the PE runs again. No cache is flushed between the runs here, as with flush=none.
#include "libdwc/controller.hpp"

#include <array>

#include "tests/catch.hpp"
#include "tests/libdwc/programs.hpp"
#include "tests/libdwc/property.hpp"

using namespace fake;

namespace {

constexpr std::array policies{dwc::Policy::Rotate, dwc::Policy::Classic};
constexpr std::uint64_t bit = 1 << 9;

// One PE that stores to page 0, reads page 1 and logs what it has read; before that, one that
// stores to both, so that page 1 is predicted.
Program read_page_1() {
  const auto log = static_cast<std::uint64_t>(Call::Log);
  return {{.op = Op::Immediate, .a = 2, .value = 7},
          {.op = Op::Store, .a = 2, .b = 4, .value = page_bytes},
          {.op = Op::Immediate, .a = 0, .value = log},
          {.op = Op::SystemCall},
          {.op = Op::Store, .a = 2, .b = 4, .value = 8},
          {.op = Op::Load, .a = 1, .b = 4, .value = page_bytes},
          {.op = Op::Immediate, .a = 0, .value = log},
          {.op = Op::SystemCall},
          {.op = Op::Immediate, .a = 0, .value = static_cast<std::uint64_t>(Call::Exit)},
          {.op = Op::SystemCall}};
}

// Runs the second PE, and calls `strike` once, before the first instruction of that run.
template <class Strike>
void strike_in(World<>& world, dwc::WhichRun run, Strike strike) {
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  world.machine.on_run_begins = [run, strike, armed = true](dwc::WhichRun begun) mutable {
    if (begun == run && std::exchange(armed, false)) strike();
  };
  world.machine.on_run_ended = [&world, run](dwc::WhichRun ended) {
    if (ended == run && run == dwc::WhichRun::First) world.machine.drop_line();
  };
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
}

// The flip was found, and what was committed and logged is right.
void check_recovered(World<>& world) {
  CHECK(world.statistics().mismatches.total == 1);
  CHECK(world.statistics().restarts == 1);
  CHECK(world.word(1, 0) == 7);
  CHECK(world.process.kernel().log == std::vector<std::uint64_t>{0, 7});
}

}  // namespace

TEST_CASE(
    "a bad translation of the first run is gone in the second, also where no page is written") {
  const auto log = static_cast<std::uint64_t>(Call::Log);
  // One PE that stores to page 1; then one that only reads page 0.
  const Program program{{.op = Op::Immediate, .a = 2, .value = 7},
                        {.op = Op::Store, .a = 2, .b = 4, .value = page_bytes},
                        {.op = Op::Immediate, .a = 0, .value = log},
                        {.op = Op::SystemCall},
                        {.op = Op::Load, .a = 1, .b = 4},
                        {.op = Op::Immediate, .a = 0, .value = log},
                        {.op = Op::SystemCall}};
  dwc::Settings chosen = settings(GENERATE(from_range(policies)));
  chosen.check = GENERATE(dwc::CheckScope::Dirty, dwc::CheckScope::Full);
  World<> world{program, 2, 8, chosen};
  strike_in(world, dwc::WhichRun::First, [&] {
    world.machine.spoil_translation(page_of(0), world.machine.entry(page_of(1)).frame);
  });
  CHECK(world.statistics().mismatches.total == 1);
  CHECK(world.process.kernel().log == std::vector<std::uint64_t>{0, 0});
}

TEST_CASE("a clean page of the set that one run read flipped comes back from its base") {
  World<> world{read_page_1(), 2, 8};
  strike_in(world, dwc::WhichRun::Second, [&] {
    REQUIRE(world.machine.entry(page_of(1)).enabled);
    world.machine.words(world.machine.entry(page_of(1)).frame)[0] ^= bit;
  });
  check_recovered(world);
}

TEST_CASE("a bad cache line that one run read is gone after the restart, in the set and outside") {
  for (const dwc::Policy policy : policies) {
    for (const dwc::WhichRun run : {dwc::WhichRun::First, dwc::WhichRun::Second}) {
      World<> world{read_page_1(), 2, 8, settings(policy)};
      strike_in(world, run, [&] {
        // By the paper's policy every page has left the set, by the other one page 1 is in it.
        REQUIRE(world.machine.entry(page_of(1)).enabled == (policy == dwc::Policy::Rotate));
        world.machine.spoil_line({world.machine.entry(page_of(1)).frame, 0, bit});
      });
      check_recovered(world);
    }
  }
}

TEST_CASE("a bad cache line over the snapshot is flushed before the snapshot is read") {
  for (const dwc::Policy policy : policies) {
    World<> world{read_page_1(), 2, 8, settings(policy)};
    REQUIRE(world.process.run(1) == dwc::Next::Serve);
    world.machine.on_run_ended = [&, armed = true](dwc::WhichRun run) mutable {
      if (run == dwc::WhichRun::First || !std::exchange(armed, false)) return;
      world.live(2) ^= 1;  // any mismatch
      world.machine.spoil_line({world.process.controller().modified(0).base, 3, bit});
    };
    CHECK(world.process.run(1) == dwc::Next::Serve);
    CHECK(world.statistics().snapshot_failures == 0);
    check_recovered(world);
  }
}

TEST_CASE("caches are flushed once for each restart, and for no PE that needs none") {
  World<> world{read_page_1(), 2, 8};
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  CHECK(world.machine.flushes == 0);
  world.machine.on_run_ended = [&](dwc::WhichRun run) {
    if (run == dwc::WhichRun::Second && world.statistics().restarts < 3) world.live(2) ^= 1;
  };
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  CHECK(world.machine.flushes == 3);
}

TEST_CASE("the base of a clean page that has changed is noticed before a restart") {
  World<> world{read_page_1(), 2, 8};
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  world.machine.on_run_ended = [&](dwc::WhichRun run) {
    if (run == dwc::WhichRun::First) return;
    world.live(2) ^= 1;
    for (const auto& entry : world.process.entries()) {
      if (entry.page == page_of(1)) world.machine.words(entry.base)[3] ^= bit;
    }
  };
  CHECK(world.process.run(1) == dwc::Next::Stop);
  CHECK(world.process.controller().diagnosis().verdict == dwc::Verdict::SnapshotCorrupt);
  CHECK(world.process.controller().diagnosis().corrupt_page == PageNumber{1});
}
