// REPRISE_PROBE and REPRISE_COUNTER: whatever init asks for, the kernel is as it was.
#include "kernel/calls/counter_probe.hpp"

#include "arch/counter.hpp"
#include "arch/run_user.hpp"
#include "arch/user_state.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/calls/probed_machine.hpp"

using namespace reprise;
using Pmu = CountingMachine::Pmu;
using Ending = CounterProbe::Ending;

namespace {

void power_on(Pmu pmu) {
  become(pmu).power_on();
  REQUIRE(use_counter({}));
}

Outcome run_probe(CounterProbe& probe) {
  arch::UserState state{};
  return probe_counter(probe, state);
}

CounterProbe nops() {
  CounterProbe probe;
  probe.counter.kind = CounterKind::PmuIntel;
  probe.time = 1'000'000;
  probe.registers.rip = CounterPrograms::code;
  return probe;
}

}  // namespace

TEST_CASE("a probe tells by what trap it ended, where, and the count") {
  power_on(Pmu::Intel);
  const ProbedMachine probed;
  CounterProbe probe = nops();
  SECTION("stopped") {
    probe.stop = 40;
    REQUIRE(run_probe(probe));
    REQUIRE(probe.ending == Ending::Counter);
    REQUIRE(probe.registers.rip == CounterPrograms::code + 40);
    REQUIRE(probe.count == 40);
  }
  SECTION("in single steps") {
    probe.steps = 1;
    REQUIRE(run_probe(probe));
    REQUIRE(probe.ending == Ending::Step);
    REQUIRE(probe.count == 1);
    REQUIRE((probe.registers.rflags & 1 << 8) == 0);
    arch::UserState state;  // and no further ones
    arch::initialize(state, CounterPrograms::code, 0);
    REQUIRE(arch::run_user(state).kind == arch::Trap::Kind::SystemCall);
  }
  SECTION("by the timer") {
    probe.time = 100;
    REQUIRE(run_probe(probe));
    REQUIRE(probe.ending == Ending::Timer);
  }
  REQUIRE_FALSE(machine.timer_armed);
}

TEST_CASE("after a probe the counter is the one before, which counts from 0") {
  power_on(Pmu::Intel);
  const ProbedMachine probed;
  REQUIRE(use_counter({.kind = CounterKind::PmuIntel, .margin = 7}));
  CounterProbe probe = nops();
  probe.counter.corrections = {1, 2, 3, 4};
  REQUIRE(run_probe(probe));
  REQUIRE(arch::counter().kind == CounterKind::PmuIntel);
  REQUIRE(arch::counter().margin == 7);
  REQUIRE(arch::counter().corrections.call == 0);
  REQUIRE(arch::count() == 0);
}

TEST_CASE("what is out of bounds, or is not there, changes nothing") {
  power_on(Pmu::Intel);
  const ProbedMachine probed;
  CounterProbe probe = nops();
  reprise_error error = REPRISE_BAD_ARGUMENT;
  SECTION("no time") { probe.time = 0; }
  SECTION("too much time") { probe.time = 1'000'000'001; }
  SECTION("no such kind") { probe.counter.kind = static_cast<CounterKind>(4); }
  SECTION("a margin beyond all counters") { probe.counter.margin = (1 << 20) + 1; }
  SECTION("a tolerance beyond all counters") { probe.counter.tolerance = ~0ull; }
  SECTION("a correction beyond all counters") { probe.counter.corrections.stop = (1 << 20) + 1; }
  SECTION("a negative one") { probe.counter.corrections.fault = -(1 << 20) - 1; }
  SECTION("the least number") { probe.counter.corrections.call = INT64_MIN; }
  SECTION("a counter that the machine has not") {
    probe.counter.kind = CounterKind::PmuAmd;
    error = REPRISE_NOT_GRANTED;
  }
  REQUIRE(run_probe(probe).error() == error);
  REQUIRE(arch::counter().kind == CounterKind::Landmark);
  if (probe.time != 0 && probe.time < 1'000'000'001)
    REQUIRE(use_counter(probe.counter).error() == error);
  REQUIRE(arch::counter().kind == CounterKind::Landmark);
  REQUIRE(probe.ending == Ending::None);
}

TEST_CASE("a stop too far away, and corrections at their bounds, hinder nothing") {
  power_on(GENERATE(Pmu::Intel, Pmu::None));
  const ProbedMachine probed;
  CounterProbe probe = nops();
  if (machine.pmu == Pmu::None) probe.counter.kind = CounterKind::Icount;
  const std::int64_t most = GENERATE(1 << 20, -(1 << 20));
  probe.counter.corrections = {most, most, most, most < 0 ? 0 : most};
  for (const std::uint64_t stop : {~0ull, ~0ull - 50, 1ull << 63, 1ull}) {
    probe.stop = stop;
    probe.registers.rip = CounterPrograms::code;
    REQUIRE(run_probe(probe));
    REQUIRE(probe.ending != Ending::None);
  }
}
