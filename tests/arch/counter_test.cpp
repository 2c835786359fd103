// The counters and their self-test, on machines that have them, lack them, and lie about them.
#include "arch/counter.hpp"

#include <string>

#include "arch/run_user.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"
#include "tests/arch/counting_machine.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch;
using namespace arch::x86;
using Pmu = CountingMachine::Pmu;
using Kind = Trap::Kind;
using Choice = CounterChoice;

namespace {

std::string refusals;

// Starts the counter on the machine as it is; all frames have to come back.
const CounterFacts& start(Choice choice = Choice::Auto) {
  FakeMemory memory;
  refusals.clear();
  const std::uint64_t root = cpu.cr3;
  start_counter(choice, memory, [](std::string_view name, std::string_view reason) {
    refusals += std::string{name} + ": " + std::string{reason} + "\n";
  });
  REQUIRE(memory.allocated() == 0);
  REQUIRE(cpu.cr3 == root);
  return counter();
}

CountingMachine& become(Pmu pmu) {
  machine = {};
  machine.pmu = pmu;
  return machine;
}

void power_on_tcg() {
  machine.power_on(1u << 31);
  cpu.leaves[{0x40000000, 0}] = {0x40000001, 0x54474354, 0x43544743, 0x47435447};
}

using Writes = std::vector<std::pair<Msr, std::uint64_t>>;

Writes counter_writes() {
  Writes found;
  for (const auto& write : machine.writes) {
    if (static_cast<unsigned>(write.first) < 0x800 || static_cast<unsigned>(write.first) == 0x834 ||
        static_cast<unsigned>(write.first) >= 0xc0010000) {
      found.push_back(write);
    }
  }
  machine.writes.clear();
  return found;
}
constexpr auto lvtpc = static_cast<Msr>(0x834);

// Code in memory that stays: `count` times NOP, then SYSCALL, and so on to the page's end.
struct Program {
  FakeMemory memory;
  UserState state;
  explicit Program(std::size_t nops) {
    const std::uint64_t address = 0x400000;
    auto* code = reinterpret_cast<std::uint8_t*>(frame(address).data());
    for (std::size_t i = 0; i < 4096; i += 2) code[i] = 0x0f, code[i + 1] = 0x05;
    for (std::size_t i = 0; i < nops; ++i) code[i] = 0x90;
    initialize(state, address, 0);
  }
  FrameWords frame(std::uint64_t address) {
    std::uint64_t at = memory.allocate()->value();
    cpu.cr3 = at << 12;
    for (const unsigned shift : {39, 30, 21, 12}) {
      const std::uint64_t next = memory.allocate()->value();
      memory.words(reprise::FrameNumber{at})[address >> shift & 511] = next << 12 | 7;
      at = next;
    }
    return memory.words(reprise::FrameNumber{at});
  }
  Trap run() { return run_user(state); }
  [[nodiscard]] std::uint64_t position() const { return state[Register::Rip] - 0x400000; }
};

// What is written to the counter for a run that it stops after 40 instructions.
Writes writes_of_a_stint(Program& program) {
  counter_writes();
  restart_count();
  stop_at_count(40);
  REQUIRE(program.run().kind == Kind::Counter);
  return counter_writes();
}

}  // namespace

TEST_CASE("Intel's fixed counter passes, whatever its version, width and skid") {
  const unsigned version = GENERATE(2u, 3u, 4u, 5u);
  const unsigned width = GENERATE(32u, 40u, 48u, 56u);
  become(Pmu::Intel).skid = width == 48 ? 83 : 0;
  machine.version = version;
  machine.width = width;
  machine.power_on();
  const CounterFacts& facts = start();
  INFO(refusals);
  REQUIRE(facts.name == "pmu-intel");
  REQUIRE(facts.counts);
  REQUIRE(facts.skid == machine.skid);
  REQUIRE(facts.tolerance == 0);
  REQUIRE(facts.margin == 4 + 2 * machine.skid);
  REQUIRE(refusals.empty());
}

TEST_CASE("AMD's counters pass, the six with their extension and the older four") {
  become(GENERATE(Pmu::AmdCore, Pmu::AmdOld)).skid = 1200;
  machine.power_on();
  const CounterFacts& facts = start();
  INFO(refusals);
  REQUIRE(facts.name == "pmu-amd");
  REQUIRE(facts.skid == 1200);
  REQUIRE(facts.margin > 2400);
}

TEST_CASE("what interrupts and faults add is found and subtracted") {
  become(GENERATE(Pmu::Intel, Pmu::AmdCore)).gain = 1;
  machine.power_on();
  const CounterFacts& facts = start();
  INFO(refusals);
  REQUIRE(facts.counts);
  REQUIRE(facts.overcount_interrupt == 1);
  REQUIRE(facts.tolerance <= 1);
}

TEST_CASE("an older counter's stint: stopped, set, cleared, admitted, started, in this order") {
  become(Pmu::Intel).version = 2;
  machine.power_on();
  REQUIRE(start().counts);
  Program program{100};
  const Writes written = writes_of_a_stint(program);
  REQUIRE(written == Writes{{Msr::FixedCounter0, (1ull << 48) - 40},
                            {Msr::GlobalStatusReset, 1ull << 32},
                            {lvtpc, 0x400},
                            {Msr::GlobalControl, 1ull << 32},
                            {Msr::GlobalControl, 0}});
  REQUIRE(machine.control == 0xa);  // rings above 0, with interrupt
  // Without a stop the overflow is far, but there: an NMI ends what no interrupt could.
  REQUIRE(program.run().kind == Kind::SystemCall);
  REQUIRE(counter_writes().at(0).second == (1ull << 48) - (1 << 28));
  REQUIRE(count() == 101);
}

TEST_CASE("from version 4 on a freeze is cleared with the overflow, freezing is not asked for") {
  become(Pmu::Intel).version = 4;
  machine.freezes = true;
  machine.power_on();
  REQUIRE(start().counts);
  bool cleared = false;
  for (const auto& [msr, value] : machine.writes) {
    if (msr == Msr::GlobalStatusReset) cleared = value == (1ull << 32 | 1ull << 59);
    REQUIRE_FALSE((msr == Msr::DebugCtl && (value & 1 << 12) != 0));
  }
  REQUIRE(cleared);
}

TEST_CASE("the firmware's own time is left out where the CPU can") {
  become(Pmu::Intel);
  machine.power_on(1 << 15);
  cpu.msrs[Msr::PerfCapabilities] = 1 << 12;
  REQUIRE(start().counts);
  REQUIRE(cpu.msrs[Msr::DebugCtl] == 1 << 14);
  machine.power_on(1 << 15);
  REQUIRE(start().counts);
  REQUIRE_FALSE(cpu.msrs.contains(Msr::DebugCtl));
}

TEST_CASE("AMD's event, rings and interrupt, the counter only changes while it stands") {
  become(Pmu::AmdCore);
  machine.power_on();
  REQUIRE(start().counts);
  Program program{100};
  const Writes written = writes_of_a_stint(program);
  REQUIRE(program.position() == 40);
  REQUIRE(written == Writes{{Msr::PerfCtrCore0, (1ull << 48) - 40},
                            {lvtpc, 0x400},
                            {Msr::PerfCtl0, 0x5100c0},
                            {Msr::PerfCtl0, 0x1100c0}});
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
  if (cpu.leaves.empty() || machine.pmu == Pmu::Intel) machine.power_on();
  const CounterFacts& facts = start();
  INFO(refusals);
  REQUIRE(facts.name == "landmark");
  REQUIRE_FALSE(facts.counts);
  REQUIRE(refusals.find("pmu-intel: ") == 0);
  REQUIRE(refusals.find(reason) != std::string::npos);
}

TEST_CASE("32-bit sign extension is never met: no overflow is asked for further away") {
  become(Pmu::Intel).sign_extends = true;
  machine.power_on();
  REQUIRE(start().counts);
  Program program{100};
  restart_count();
  stop_at_count(1ull << 40);
  REQUIRE(program.run().kind == Kind::SystemCall);
  REQUIRE(count() == 101);
}

TEST_CASE("an overflow left over from an earlier stint stops nothing") {
  become(Pmu::Intel).skid = 30;
  machine.power_on();
  REQUIRE(start().counts);
  Program program{30};
  restart_count();
  stop_at_count(20);
  REQUIRE(program.run().kind == Kind::SystemCall);  // the interrupt is still on its way
  restart_count();
  stop_at_count(500);
  machine.interrupts = false;  // no other
  REQUIRE(program.run().kind == Kind::SystemCall);
  const Trap trap = [&] {
    Trap t = program.run();
    for (int i = 0; i < 100 && t.kind == Kind::SystemCall; ++i) t = program.run();
    return t;
  }();
  REQUIRE(trap.kind == Kind::Device);  // not an NMI to be logged, not a stop
}

TEST_CASE("an NMI that is not the counter's is one") {
  become(GENERATE(Pmu::Intel, Pmu::AmdCore));
  machine.power_on();
  REQUIRE(start().counts);
  Program program{100};
  restart_count();
  stop_at_count(40);
  machine.nmi_from_elsewhere = true;
  REQUIRE(program.run().kind == Kind::NonMaskable);
  REQUIRE(program.run().kind == Kind::Counter);
  REQUIRE(program.position() == 40);
}

TEST_CASE("a stop that was passed before comes at once, and once only") {
  become(Pmu::Intel);
  machine.power_on();
  REQUIRE(start().counts);
  Program program{10};
  restart_count();
  REQUIRE(program.run().kind == Kind::SystemCall);
  stop_at_count(5);
  REQUIRE(program.run().kind == Kind::Counter);
  REQUIRE(count() == 11);
  REQUIRE(program.run().kind == Kind::SystemCall);
  stop_at_count(2000);
  restart_count();  // forgets it
  for (int i = 0; i < 2000; ++i) REQUIRE(program.run().kind == Kind::SystemCall);
}

TEST_CASE("icount passes where instructions are time, with nothing late and nothing off") {
  become(Pmu::None).clock_rate = GENERATE(1, 2, 32);
  power_on_tcg();
  const CounterFacts& facts = start();
  INFO(refusals);
  REQUIRE(facts.name == "icount");
  REQUIRE(facts.margin == 4);
  REQUIRE(facts.tolerance == 0);
  Program program{1000};
  restart_count();
  for (const std::uint64_t place : {1, 2, 100, 977}) {
    stop_at_count(place);
    REQUIRE(program.run().kind == Kind::Counter);
    REQUIRE(program.position() == place);
    REQUIRE(count() == place);
  }
}

TEST_CASE("a stop too far away for any number stops nothing, and hinders nothing") {
  become(Pmu::None);
  power_on_tcg();
  REQUIRE(start().counts);
  Program program{1000};
  for (const std::uint64_t place : {~0ull, ~0ull - 50, 1ull << 63}) {
    restart_count();
    arm_timer(reprise::Nanoseconds{300});
    stop_at_count(place);
    REQUIRE(program.run().kind == Kind::Timer);
  }
}

TEST_CASE("icount is refused where the clock is anything else") {
  become(Pmu::None);
  SECTION("instructions that take no time") { machine.clock_rate = 0; }
  SECTION("real time") { machine.clock_jitters = true; }
  SECTION("a timer of another rate") { machine.timer_rate = 2; }
  power_on_tcg();
  REQUIRE(start().name == "landmark");
  INFO(refusals);
  REQUIRE(refusals.find("icount: ") == 0);
}

TEST_CASE("with icount a stop and the time limit are both waited for, whichever is first") {
  become(Pmu::None);
  power_on_tcg();
  REQUIRE(start().counts);
  Program program{4000};
  restart_count();
  arm_timer(reprise::Nanoseconds{300});
  stop_at_count(500);
  REQUIRE(program.run().kind == Kind::Timer);
  REQUIRE(program.position() < 300);
  REQUIRE(program.run().kind == Kind::Counter);
  REQUIRE(program.position() == 500);
  arm_timer(reprise::Nanoseconds{3000});
  stop_at_count(600);
  REQUIRE(program.run().kind == Kind::Counter);
  REQUIRE(program.run().kind == Kind::Timer);
  REQUIRE(program.position() > 3000);
}

TEST_CASE("an overflow of icount's that comes while the kernel works stops nothing too early") {
  become(Pmu::None);
  power_on_tcg();
  REQUIRE(start().counts);
  Program program{490};
  for (std::uint64_t place = 491; place < 600; ++place) {
    restart_count();
    arm_timer(reprise::Nanoseconds{100'000});
    stop_at_count(place);
    REQUIRE(program.run().kind == Kind::SystemCall);
    program.state[Register::Rip] -= 492;  // once more
    if (place > 491) REQUIRE(program.run().kind == Kind::Counter);
    REQUIRE(count() == place);
    stop_at_count(0);
    REQUIRE(program.run().kind == Kind::SystemCall);
    program.state[Register::Rip] -= 492;
  }
}

TEST_CASE("what is left of icount's stop is no timer's expiry") {
  become(Pmu::None);
  power_on_tcg();
  REQUIRE(start().counts);
  Program program{490};
  restart_count();
  arm_timer(reprise::Nanoseconds{100'000});
  stop_at_count(500);
  REQUIRE(program.run().kind == Kind::SystemCall);
  stop_at_count(0);
  machine.stamp += 1000;  // the kernel works meanwhile
  for (int i = 0; i < 500; ++i) REQUIRE(program.run().kind == Kind::SystemCall);
}

TEST_CASE("auto asks CPUID first, a choice does not, but tests all the same") {
  become(Pmu::None);
  machine.power_on();
  REQUIRE(start().name == "landmark");
  REQUIRE(refusals.empty());
  REQUIRE(start(Choice::Pmu).name == "landmark");
  REQUIRE(refusals ==
          "pmu-intel: its registers do not exist\npmu-amd: its registers do not exist\n");
  REQUIRE(start(Choice::Icount).name == "icount");  // this machine's clock is one
  REQUIRE(start(Choice::Landmark).name == "landmark");
  become(Pmu::Intel).version = 0;
  machine.power_on();
  REQUIRE(start().name == "landmark");
  REQUIRE(start(Choice::Pmu).name == "pmu-intel");
  become(Pmu::AmdOld);
  machine.power_on(1u << 31);  // a virtual machine: the older four are announced by nothing
  REQUIRE(start().name == "landmark");
  REQUIRE(start(Choice::Pmu).name == "pmu-amd");
}

TEST_CASE("without memory for its test a counter is refused, and nothing is lost") {
  become(Pmu::Intel);
  machine.power_on();
  for (std::size_t frames = 0; frames < 40; ++frames) {
    FakeMemory memory;
    memory.limit(frames);
    std::size_t told = 0;
    static std::size_t* tells = nullptr;
    tells = &told;
    start_counter(Choice::Pmu, memory, [](std::string_view, std::string_view) { ++*tells; });
    REQUIRE(memory.allocated() == 0);
    REQUIRE((told == 0) == counter().counts);
  }
  REQUIRE(counter().counts);
}
