// Which counters init believes on machines that have them, lack them, or report wrong counts. The
// kernel's own code probes each counter, as in the machine.
#include "user/init/counter_choice.hpp"

#include <string>

#include "arch/x86_64/features.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/calls/probed_machine.hpp"

using namespace reprise;
using Pmu = CountingMachine::Pmu;
using Choice = Settings::Counter;

namespace {

std::string refusals;

struct Found {
  std::string_view name;
  CounterFacts facts;
};

// Chooses a counter as init does, on the machine in its present state.
Found choose(Choice choice = Choice::Auto) {
  ProbedMachine probed;
  refusals.clear();
  const CounterFacts facts = choose_counter(
      choice,
      [](std::uint32_t leaf) {
        const arch::x86::CpuidResult r = arch::x86::cpuid_leaf(leaf);
        return user::CpuidResult{r.eax, r.ebx, r.ecx, r.edx};
      },
      CounterPrograms::probes(),
      [](std::string_view name, std::string_view reason) {
        refusals += std::string{name} + ": " + std::string{reason} + "\n";
      });
  return {name_of(facts.settings.kind), facts};
}

}  // namespace

TEST_CASE("Intel's fixed counter passes, whatever its version, width and skid") {
  const unsigned version = GENERATE(2u, 3u, 4u, 5u);
  const unsigned width = GENERATE(32u, 40u, 48u, 56u);
  become(Pmu::Intel).skid = width == 48 ? 83 : 0;
  machine.version = version;
  machine.width = width;
  machine.power_on();
  const auto [name, facts] = choose();
  INFO(refusals);
  REQUIRE(name == "pmu-intel");
  REQUIRE(facts.skid == machine.skid);
  REQUIRE(facts.settings.tolerance == 0);
  REQUIRE(facts.settings.margin == 4 + 2 * machine.skid);
  REQUIRE(refusals.empty());
}

TEST_CASE("AMD's counters pass, the six with their extension and the older four") {
  become(GENERATE(Pmu::AmdCore, Pmu::AmdOld)).skid = 1200;
  machine.power_on();
  const auto [name, facts] = choose();
  INFO(refusals);
  REQUIRE(name == "pmu-amd");
  REQUIRE(facts.skid == 1200);
  REQUIRE(facts.settings.margin > 2400);
}

TEST_CASE("what interrupts and faults add to a counter is found") {
  become(GENERATE(Pmu::Intel, Pmu::AmdCore)).gain = 1;
  machine.power_on();
  const auto [name, facts] = choose();
  INFO(refusals);
  REQUIRE(facts.settings.kind != CounterKind::Landmark);
  REQUIRE(facts.settings.corrections.interrupt == 1);
  REQUIRE(facts.settings.corrections.fault == 1);
  REQUIRE(facts.settings.tolerance <= 1);
}

TEST_CASE("a counter is not to blame for a CPUID that faults") {
  become(GENERATE(Pmu::Intel, Pmu::AmdCore)).cpuid_faults = true;
  machine.power_on();
  const auto [name, facts] = choose();
  INFO(refusals);
  REQUIRE(facts.settings.kind != CounterKind::Landmark);
  REQUIRE(facts.settings.tolerance == 0);
}

TEST_CASE("a counter is not to blame for timers that a busy host has late") {
  become(Pmu::Intel).late_timers = 300;
  machine.power_on();
  REQUIRE(choose().name == "pmu-intel");
  INFO(refusals);
  REQUIRE(machine.late_timers == 0);
}

TEST_CASE("a counter that is off is refused, and the boot goes on without") {
  become(Pmu::Intel);
  const char* reason = "";
  SECTION("announced but not counting") {
    machine.counts = false;
    reason = "does not count";
  }
  SECTION("announced, but its registers hold nothing") {
    machine.power_on();
    machine.pmu = Pmu::Silent;
    reason = "its registers do not exist";
  }
  SECTION("announced, but its registers do not exist") {
    machine.power_on();
    machine.pmu = Pmu::None;
    reason = "its registers do not exist";
  }
  SECTION("counts the kernel") {
    machine.counts_kernel = true;
    reason = "straight line: counts 65597 instead of 65537";
  }
  SECTION("its overflow does not interrupt") {
    machine.interrupts = false;
    reason = "does not stop at 1";
  }
  SECTION("an overflow is there again whenever it is started") {
    machine.stale = true;
    reason = "does not come to its end";
  }
  SECTION("counts too little from the beginning") {
    machine.leaves_out = 1000;
    reason = "straight line: counts 65472 instead of 65537";
  }
  SECTION("counts too little later on") {
    machine.leaves_out = 1000;
    machine.sound_for = 80'000;
    reason = "straight line: counts 654";
  }
  SECTION("counts a little too much, and so stops too early") {
    machine.doubles = 5000;
    machine.sound_for = 80'000;
    reason = "stops at ";
  }
  SECTION("stops nowhere near") {
    machine.skid = 1'000'000;
    reason = "does not stop at 1";
  }
  if (machine.pmu == Pmu::Intel) machine.power_on();
  REQUIRE(choose().name == "landmark");
  INFO(refusals);
  REQUIRE(refusals.find("pmu-intel: ") == 0);
  REQUIRE(refusals.find(reason) != std::string::npos);
}

TEST_CASE("icount passes where instructions are time, with nothing late and nothing off") {
  become(Pmu::None).clock_rate = GENERATE(1, 2, 32);
  power_on_tcg();
  const auto [name, facts] = choose();
  INFO(refusals);
  REQUIRE(name == "icount");
  REQUIRE(facts.skid == 0);
  REQUIRE(facts.settings.margin == 4);
  REQUIRE(facts.settings.tolerance == 0);
  const auto& [interrupt, fault, call, stop] = facts.settings.corrections;
  REQUIRE((interrupt == 140 && fault == 140 && call == 140 && stop == 70));
}

TEST_CASE("icount is refused where the clock is anything else") {
  become(Pmu::None);
  SECTION("instructions that take no time") { machine.clock_rate = 0; }
  SECTION("real time") { machine.clock_jitters = true; }
  SECTION("a timer of another rate") { machine.timer_rate = 2; }
  power_on_tcg();
  REQUIRE(choose().name == "landmark");
  INFO(refusals);
  REQUIRE(refusals.find("icount: ") == 0);
}

TEST_CASE("auto asks CPUID first, a choice does not, but tests all the same") {
  become(Pmu::None);
  machine.power_on();
  REQUIRE(choose().name == "landmark");
  REQUIRE(refusals.empty());
  REQUIRE(choose(Choice::Pmu).name == "landmark");
  REQUIRE(refusals ==
          "pmu-intel: its registers do not exist\npmu-amd: its registers do not exist\n");
  REQUIRE(choose(Choice::Icount).name == "icount");  // this machine's time counts instructions
  REQUIRE(choose(Choice::Landmark).name == "landmark");
  become(Pmu::Intel).version = 0;
  machine.power_on();
  REQUIRE(choose().name == "landmark");
  REQUIRE(choose(Choice::Pmu).name == "pmu-intel");
  become(Pmu::AmdOld);
  machine.power_on(1u << 31);  // a virtual machine: no bit announces the four older counters
  REQUIRE(choose().name == "landmark");
  REQUIRE(choose(Choice::Pmu).name == "pmu-amd");
}

// Tests the judgement alone: the kernel's answers are made up.
namespace {

CounterProbe answer;
void give_answer(CounterProbe& probe) {
  probe.registers.rip += answer.registers.rip;
  probe.count = answer.count;
  probe.ending = answer.ending;
}

std::string refusal_of(CounterProbe::Ending ending, std::uint64_t count, std::uint64_t progress) {
  answer.ending = ending;
  answer.count = count;
  answer.registers.rip = progress;
  const auto result = test_counter(CounterKind::PmuIntel, {give_answer, 0x1000, 0x2000});
  return result ? "" : std::string{result.error().view()};
}

}  // namespace

TEST_CASE("whatever a probe says, a verdict comes") {
  using Ending = CounterProbe::Ending;
  REQUIRE(refusal_of(Ending::None, 0, 0) == "its registers do not exist");
  for (const auto ending :
       {Ending::Exception, Ending::Timer, Ending::Counter, Ending::Step, Ending::Break,
        Ending::Device, Ending::NonMaskable, Ending::MachineCheck}) {
    REQUIRE(refusal_of(ending, 1, 1) == "straight line: does not come to its end");
  }
  REQUIRE(refusal_of(Ending::SystemCall, ~0ull, ~0ull).find("straight line: counts ") == 0);
  REQUIRE(refusal_of(Ending::SystemCall, 65537, 0) == "page faults: counts 65537 instead of 1");
}
