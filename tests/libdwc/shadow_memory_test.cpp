// Which pages are in the set, who gives way to whom, and that no frame is ever lost.
#include "libdwc/shadow_memory.hpp"
#include "tests/catch.hpp"
#include "tests/libdwc/programs.hpp"
#include "tests/libdwc/property.hpp"
#include "tests/libdwc/seeded_bugs.hpp"

using namespace fake;
using End = dwc::PeEnd::Kind;

namespace {

dwc::Settings with_budget(std::uint32_t pages) {
  dwc::Settings chosen = settings();
  chosen.page_budget = pages;
  return chosen;
}

std::uint64_t ended_by(const dwc::Statistics& statistics, End kind) {
  return statistics.by_end[static_cast<std::size_t>(kind)];
}

// The first PE writes pages 0 and 1, all later ones page 1 only.
Program leave_page_0_alone() {
  Program program = touch_pages(2);
  program.back().value = 3;
  return program;
}

// Once, in PE 2 of that program: the second run's store to page 1 goes to the second word of page
// `to` instead, with nothing else to show for it.
template <class M>
void redirect_second_store(World<M>& world, std::size_t to) {
  constexpr std::uint64_t store = 3;  // loop counter, branch, pointer, store
  world.machine.on_run_begins = [&world, to](dwc::WhichRun run) {
    const bool now = run == dwc::WhichRun::Second && world.process.controller().pe_number() == 2 &&
                     world.statistics().restarts == 0;
    world.machine.before_instruction = nullptr;
    if (!now) return;
    world.machine.before_instruction = [&world, to] {
      if (world.machine.retired() == store) world.live(4) = to * page_bytes + 8;
      if (world.machine.retired() == store + 1) world.live(4) = page_bytes;
    };
  };
}

}  // namespace

TEST_CASE("a PE that would exceed the page budget ends at that write, exactly") {
  World<> world{sweep(10), 10, 40, with_budget(4)};
  Reference reference{sweep(10), 10};
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.process.controller().end().kind == End::PageBudget);
  CHECK(world.live(Registers::ip) == 1 + 4 * 2 + 1);  // at the fifth store
  CHECK(world.word(3, 0) == 1);
  CHECK(world.word(4, 0) == 0);
  REQUIRE(world.process.run() == dwc::Next::Serve);
  reference.run_pe();
  CHECK(ended_by(world.statistics(), End::PageBudget) == 2);
  CHECK(difference(world.machine, reference.machine).value_or("") == "");
}

TEST_CASE("predicted pages that are clean give way when the set is full, the longest clean first") {
  World<> world{write_pages({{0, 1, 2}, {0, 2}, {3}}), 4, 40, with_budget(3)};
  REQUIRE(world.process.run(3) == dwc::Next::Serve);
  CHECK(world.statistics().evictions == 1);
  CHECK(world.statistics().mismatches.total == 0);
  CHECK(ended_by(world.statistics(), End::PageBudget) == 0);
  CHECK_FALSE(world.machine.entry(page_of(1)).enabled);
  for (const std::size_t page : {0, 2, 3}) CHECK(world.machine.entry(page_of(page)).enabled);
}

TEST_CASE("a page that only a failed attempt let in gives way in the next one") {
  const Program program{{.op = Op::StorePair, .a = 1, .b = 4, .c = 1}, {.op = Op::SystemCall}};
  World<> world{program, 3, 40, with_budget(2)};
  // A flip sends the first run to page 2 and the missing page 3: page 2 joins, nothing is written.
  world.machine.before_instruction = [&, flip = true]() mutable {
    if (std::exchange(flip, false)) world.live(4) = 2 * page_bytes;
  };
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.statistics().restarts == 1);
  CHECK(world.statistics().evictions == 1);
  CHECK(world.process.controller().end().kind == End::SystemCall);
}

TEST_CASE("a page that joined but was not written costs no further copy") {
  const Program program{{.op = Op::StorePair, .a = 1, .b = 4, .c = 1}};
  for (const dwc::Policy policy : {dwc::Policy::Rotate, dwc::Policy::Classic}) {
    World<> world{program, 1, 4, settings(policy)};  // the second page of the pair is missing
    REQUIRE(world.process.run_pe() == dwc::Next::Serve);
    CHECK(world.process.controller().end().kind == End::Exception);
    CHECK(world.statistics().copies_at_fault == 1);
    CHECK(world.statistics().copies == 0);
    CHECK(world.statistics().compares == 0);
  }
}

TEST_CASE("pages written in this PE do not give way, not even to each other in one instruction") {
  const Program program{{.op = Op::Immediate, .a = 1, .value = 7},
                        {.op = Op::StorePair, .a = 1, .b = 4, .c = 1},
                        {.op = Op::SystemCall}};
  World<> world{program, 2, 4, with_budget(2)};
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.process.controller().end().kind == End::SystemCall);
  CHECK(world.word(0, 0) == 7);
  CHECK(world.word(1, 0) == 7);
  CHECK(world.statistics().evictions == 0);
}

TEST_CASE("when frames run out, a PE that has modified pages ends there and the next one goes on") {
  World<> world{sweep(6), 6, 4};
  Reference reference{sweep(6), 6};
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);
  CHECK(world.process.controller().end().kind == End::PageBudget);
  CHECK(world.machine.free_frames() == 0);
  REQUIRE(world.process.run() == dwc::Next::Serve);
  reference.run_pe();
  CHECK(world.statistics().mismatches.total == 0);
  CHECK(world.statistics().evictions == 4);
  CHECK(difference(world.machine, reference.machine).value_or("") == "");
}

TEST_CASE("a PE whose first write finds no frames ends out of frames, in both runs") {
  for (const std::size_t frames : {0, 1}) {
    World<> world{sweep(2), 2, frames};
    REQUIRE(world.process.run_pe() == dwc::Next::Serve);
    CHECK(world.process.controller().end().kind == End::OutOfFrames);
    CHECK(world.process.controller().end().fault_address == 0);
    CHECK(world.statistics().second_runs == 1);
    CHECK(world.statistics().mismatches.total == 0);
    CHECK(world.machine.free_frames() == frames);
    CHECK(world.word(0, 0) == 0);
  }
}

TEST_CASE("a page that stays clean for long leaves the set, write-protected, its frames returned") {
  World<> world{leave_page_0_alone(), 2, 4};
  REQUIRE(world.process.run(4) == dwc::Next::Serve);
  CHECK(world.machine.entry(page_of(0)).enabled);
  CHECK(world.machine.free_frames() == 0);
  REQUIRE(world.process.run(1) == dwc::Next::Serve);  // its fourth clean PE
  CHECK_FALSE(world.machine.entry(page_of(0)).enabled);
  CHECK(world.machine.entry(page_of(1)).enabled);
  CHECK(world.machine.free_frames() == 2);
}

TEST_CASE("a forgotten page is write-protected, gives its frames back, and may join again") {
  World<> world{touch_pages(2), 2, 4};
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  world.process.controller().forget(PageNumber{0});
  CHECK_FALSE(world.machine.entry(page_of(0)).enabled);
  CHECK(world.machine.free_frames() == 2);
  REQUIRE(world.machine.write(page_of(0), 9, 99));
  const std::uint64_t faults = world.statistics().write_faults;
  REQUIRE(world.process.run(1) == dwc::Next::Serve);
  CHECK(world.statistics().write_faults == faults + 1);
  CHECK(world.word(0, 0) == 2);
  CHECK(world.word(0, 9) == 99);
  world.process.controller().forget(PageNumber{17});  // one that the set does not know: nothing
}

TEST_CASE("clearing the set gives every frame back, at any time, with the content kept") {
  for (const dwc::Policy policy : {dwc::Policy::Rotate, dwc::Policy::Classic}) {
    World<> world{touch_pages(3), 3, 8, settings(policy)};
    REQUIRE(world.process.run(5) == dwc::Next::Serve);
    world.process.controller().clear();
    CHECK(world.machine.free_frames() == 8);
    CHECK(world.word(2, 0) == 5);

    world.process.controller().begin();  // and in the middle of a first run
    for (int i = 0; i < 3; ++i) {
      (void)world.process.controller().handle(event_of(world.machine, world.machine.run()));
    }
    CHECK(world.machine.free_frames() == 2);
    world.process.controller().clear();
    CHECK(world.machine.free_frames() == 8);
  }
}

TEST_CASE("a write fault on a page of the set is only an old translation and costs nothing more") {
  World<> world{touch_pages(1), 1, 4};
  world.process.controller().begin();
  const dwc::Event<Page> event = event_of(world.machine, world.machine.run());
  REQUIRE(event.kind == dwc::Event<Page>::Kind::WriteFault);
  CHECK(world.process.controller().handle(event) == dwc::Next::Resume);
  CHECK(world.process.controller().handle(event) == dwc::Next::Resume);
  CHECK(world.statistics().copies_at_fault == 1);
  CHECK(world.machine.free_frames() == 2);
}

TEST_CASE("a page that only the second run modified is compared too: the union counts") {
  World<> world{leave_page_0_alone(), 3, 12};
  redirect_second_store(world, 0);
  REQUIRE(world.process.run(2) == dwc::Next::Serve);
  CHECK(world.statistics().mismatches.total == 1);
  CHECK(world.statistics().mismatches.pages == 1);
  CHECK(world.statistics().mismatches.registers == 0);
  CHECK(world.word(0, 1) == 0);

  // The proof that the test can fail: compare the first run's pages only, and it is committed.
  World<OnlyFirstRunsPages> careless{leave_page_0_alone(), 3, 12};
  redirect_second_store(careless, 0);
  REQUIRE(careless.process.run(2) == dwc::Next::Serve);
  CHECK(careless.statistics().mismatches.total == 0);
  CHECK(careless.word(0, 1) == 1);
}

TEST_CASE("a write of the second run to a page that is not in the set is a mismatch by its end") {
  World<> world{leave_page_0_alone(), 3, 12};
  redirect_second_store(world, 2);
  REQUIRE(world.process.run(2) == dwc::Next::Serve);
  CHECK(world.statistics().mismatches.end == 1);
  CHECK(world.process.controller().diagnosis().second_end->kind == End::UnexpectedWrite);
  CHECK(world.word(2, 1) == 0);
}

TEST_CASE("check=full notices what a dirty bit that lies would hide") {
  struct NeverDirty : Machine {
    using Machine::Machine;
    bool dirty(Page) override { return false; }
  };
  for (const dwc::CheckScope check : {dwc::CheckScope::Dirty, dwc::CheckScope::Full}) {
    dwc::Settings chosen = settings();
    chosen.check = check;
    World<NeverDirty> world{touch_pages(1), 1, 4, chosen};
    world.machine.on_run_ended = [&](dwc::WhichRun run) {
      if (run == dwc::WhichRun::Second || world.statistics().restarts != 0) return;
      world.machine.words(world.machine.entry(page_of(0)).frame)[5] ^= 1;
    };
    REQUIRE(world.process.run(1) == dwc::Next::Serve);
    const bool full = check == dwc::CheckScope::Full;
    CHECK(world.statistics().mismatches.pages == (full ? 1 : 0));
    CHECK(world.word(0, 5) == (full ? 0 : 1));
  }
}

TEST_CASE(
    "check=full does not let a page go whose content has changed, whatever its dirty bit says") {
  struct NeverDirty : Machine {
    using Machine::Machine;
    bool dirty(Page) override { return false; }
  };
  dwc::Settings chosen = with_budget(1);
  chosen.check = dwc::CheckScope::Full;
  World<NeverDirty> world{touch_pages(2), 2, 8, chosen};
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);  // page 0
  REQUIRE(world.process.run_pe() == dwc::Next::Serve);  // page 1 takes its place
  CHECK(world.statistics().evictions == 1);
  world.process.serve();
  world.process.controller().begin();  // page 0 again, page 1 gives way; then page 1 is refused
  dwc::Next next = dwc::Next::Resume;
  while (next == dwc::Next::Resume) {
    next = world.process.controller().handle(event_of(world.machine, world.machine.run()));
  }
  CHECK(world.process.controller().end().kind == End::PageBudget);
  CHECK(world.statistics().evictions == 2);
}
