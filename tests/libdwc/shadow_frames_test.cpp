// What each policy costs, and whose frame is whose.
#include "libdwc/shadow_frames.hpp"
#include "tests/catch.hpp"
#include "tests/libdwc/programs.hpp"
#include "tests/libdwc/property.hpp"

using namespace fake;

namespace {

struct Cost {
  std::uint64_t faults, copies_at_fault, copies, compares, remaps;
};

// Of `pes` PEs that modify the same ten pages, once the set has settled.
Cost steady_state(dwc::Policy policy, std::uint64_t pes) {
  World<> world{touch_pages(10), 12, 40, settings(policy)};
  REQUIRE(world.process.run(3) == dwc::Next::Serve);
  const dwc::Statistics before = world.statistics();
  REQUIRE(world.process.run(pes) == dwc::Next::Serve);
  const dwc::Statistics& after = world.statistics();
  CHECK(after.mismatches.total == 0);
  return {.faults = after.write_faults - before.write_faults,
          .copies_at_fault = after.copies_at_fault - before.copies_at_fault,
          .copies = after.copies - before.copies,
          .compares = after.compares - before.compares,
          .remaps = after.remaps - before.remaps};
}

}  // namespace

TEST_CASE("rotate: a page modified in each PE costs one copy, one compare, one remap, no fault") {
  const Cost cost = steady_state(dwc::Policy::Rotate, 100);
  CHECK(cost.faults == 0);
  CHECK(cost.copies_at_fault == 0);
  CHECK(cost.copies == 1000);
  CHECK(cost.compares == 1000);
  CHECK(cost.remaps == 1000);
}

TEST_CASE("classic: a page modified in each PE costs a fault, three copies, three remaps") {
  const Cost cost = steady_state(dwc::Policy::Classic, 100);
  CHECK(cost.faults == 1000);
  CHECK(cost.copies_at_fault == 1000);
  CHECK(cost.copies == 2000);
  CHECK(cost.compares == 1000);
  CHECK(cost.remaps == 3000);
}

TEST_CASE("a page that is predicted but stays clean costs neither copy nor compare") {
  Program program = touch_pages(2);
  program.back().value = 5;  // later PEs leave page 0 alone
  dwc::Settings patient = settings();
  patient.clean_limit = 1000;
  World<> world{program, 2, 10, patient};
  REQUIRE(world.process.run(3) == dwc::Next::Serve);
  const dwc::Statistics before = world.statistics();
  REQUIRE(world.process.run(10) == dwc::Next::Serve);
  CHECK(world.machine.entry(page_of(0)).enabled);
  CHECK(world.statistics().copies == before.copies);
  CHECK(world.statistics().compares == before.compares);
}

TEST_CASE("a shared frame is read by the PE, and never written") {
  for (const dwc::Policy policy : {dwc::Policy::Rotate, dwc::Policy::Classic}) {
    Machine machine{touch_pages(2), 2, 8};
    machine.share_page(page_of(0), true);
    machine.share_page(page_of(1), true);
    Process<> process{machine, settings(policy)};
    REQUIRE(process.run(5) == dwc::Next::Serve);
    CHECK(machine.content(page_of(0))[0] == machine.content(page_of(1))[0]);
    CHECK(machine.content(page_of(0))[0] != 0);
    for (const std::uint64_t word : machine.words(machine.zero_page())) REQUIRE(word == 0);
    process.controller().clear();
    CHECK(machine.free_frames() + 2 == 8);
  }
}

TEST_CASE("a page whose base was shared leaves the set when no frame is left for its spare") {
  Machine machine{touch_pages(1), 1, 2};
  machine.share_page(page_of(0), true);
  Process<> process{machine, settings()};
  REQUIRE(process.run(1) == dwc::Next::Serve);
  CHECK(machine.content(page_of(0))[0] == 1);
  CHECK_FALSE(machine.entry(page_of(0)).enabled);
  CHECK(machine.free_frames() == 1);
}

TEST_CASE("both policies give the same results") {
  const Program program = touch_pages(5);
  World<> rotate{program, 5, 20, settings(dwc::Policy::Rotate)};
  World<> classic{program, 5, 20, settings(dwc::Policy::Classic)};
  for (int pe = 0; pe < 20; ++pe) {
    REQUIRE(rotate.process.run(1) == dwc::Next::Serve);
    REQUIRE(classic.process.run(1) == dwc::Next::Serve);
    REQUIRE(difference(rotate.machine, classic.machine).value_or("") == "");
  }
  CHECK(rotate.process.kernel().log == classic.process.kernel().log);
}
