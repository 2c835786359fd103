// The counters as the kernel drives them. Whether init believes one is tested in
// tests/user/init/counter_test.cpp.
#include "arch/counter.hpp"

#include <algorithm>

#include "arch/direct_map.hpp"
#include "arch/run_user.hpp"
#include "arch/timer.hpp"
#include "arch/user_state.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "tests/arch/counting_machine.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch;
using namespace arch::x86;
using Pmu = CountingMachine::Pmu;
using Kind = Trap::Kind;
using CounterKind = reprise::CounterKind;

namespace {

CounterKind kind_there_is() {
  return machine.pmu == Pmu::Intel  ? CounterKind::PmuIntel
         : machine.pmu == Pmu::None ? CounterKind::Icount
                                    : CounterKind::PmuAmd;
}

// With what each trap adds to icount: this machine's way into ring 3 and back, of which its timer
// sees the first part. The performance counters see nothing of it.
bool start() {
  reprise::CounterSettings settings{.kind = kind_there_is()};
  if (settings.kind == CounterKind::Icount) {
    const auto way = static_cast<std::int64_t>(machine.kernel_ticks);
    settings.corrections = {2 * way, 2 * way, 2 * way, way};
  }
  return use_counter(settings);
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

TEST_CASE("an older counter's stint: stopped, set, cleared, admitted, started, in this order") {
  become(Pmu::Intel).version = 2;
  machine.power_on();
  REQUIRE(start());
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

TEST_CASE("the interrupt is admitted again only behind an overflow or an NMI") {
  become(GENERATE(Pmu::Intel, Pmu::AmdCore));
  machine.power_on();
  REQUIRE(start());
  Program program{100};
  const auto admitted = [] {
    const Writes written = counter_writes();
    return std::count_if(written.begin(), written.end(),
                         [](const auto& write) { return write.first == lvtpc; });
  };
  writes_of_a_stint(program);
  REQUIRE(program.run().kind == Kind::SystemCall);
  CHECK(admitted() == 1);  // the stop's own had masked it
  for (int i = 0; i < 3; ++i) {
    REQUIRE(program.run().kind == Kind::SystemCall);
    CHECK(admitted() == 0);
  }
  // One more of the counter's, say: of two overflows whose interrupts were late.
  machine.nmi_from_elsewhere = true;
  if (machine.pmu == Pmu::Intel) cpu.msrs[lvtpc] |= 1 << 16;
  REQUIRE(program.run().kind == Kind::NonMaskable);
  program.state[Register::Rip] = 0x400000;
  writes_of_a_stint(program);  // the interrupt still comes
  CHECK(program.position() == 40);
  REQUIRE(program.run().kind == Kind::SystemCall);
  counter_writes();
  boot_cpu.nmi_came = true;  // as kernel_trap() notes one
  REQUIRE(program.run().kind == Kind::SystemCall);
  CHECK(admitted() == 1);
  program.state[Register::Rip] = 0x400000;
  machine.skid = 200;
  restart_count();
  stop_at_count(50);
  REQUIRE(program.run().kind == Kind::SystemCall);
  counter_writes();
  for (int i = 0; i < 3; ++i) {
    restart_count();  // or the stop that was passed would come at once
    REQUIRE(program.run().kind == Kind::SystemCall);
    CHECK(admitted() == 1);  // it is still on its way
  }
}

TEST_CASE("from version 4 on a freeze is cleared with the overflow, freezing is not asked for") {
  become(Pmu::Intel).version = 4;
  machine.freezes = true;
  machine.power_on();
  REQUIRE(start());
  Program program{100};
  for (int i = 0; i < 2; ++i) {
    restart_count();
    stop_at_count(40);
    REQUIRE(program.run().kind == Kind::Counter);
  }
  REQUIRE(program.position() == 80);
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
  REQUIRE(start());
  REQUIRE(cpu.msrs[Msr::DebugCtl] == 1 << 14);
  machine.power_on(1 << 15);
  REQUIRE(start());
  REQUIRE_FALSE(cpu.msrs.contains(Msr::DebugCtl));
}

TEST_CASE("AMD's event, rings and interrupt, the counter only changes while it stands") {
  become(Pmu::AmdCore);
  machine.power_on();
  REQUIRE(start());
  Program program{100};
  const Writes written = writes_of_a_stint(program);
  REQUIRE(program.position() == 40);
  REQUIRE(written == Writes{{Msr::PerfCtrCore0, (1ull << 48) - 40},
                            {lvtpc, 0x400},
                            {Msr::PerfCtl0, 0x5100c0},
                            {Msr::PerfCtl0, 0x1100c0}});
}

TEST_CASE("without registers that hold something a counter does not start: the other stays") {
  become(Pmu::None);
  power_on_tcg();
  REQUIRE(start());
  machine.pmu = GENERATE(Pmu::None, Pmu::Silent);
  const CounterKind kind = GENERATE(CounterKind::PmuIntel, CounterKind::PmuAmd);
  REQUIRE_FALSE(use_counter({.kind = kind}));
  REQUIRE(counter().kind == CounterKind::Icount);
  Program program{10};
  REQUIRE(program.run().kind == Kind::SystemCall);
  REQUIRE(count() == 11);
}

TEST_CASE("a counter counts from 0 once it is started, and landmark not at all") {
  become(Pmu::Intel);
  machine.power_on();
  REQUIRE(start());
  Program program{10};
  REQUIRE(program.run().kind == Kind::SystemCall);
  stop_at_count(100);
  REQUIRE(start());
  REQUIRE(count() == 0);
  for (int i = 0; i < 200; ++i) REQUIRE(program.run().kind == Kind::SystemCall);
  REQUIRE(use_counter({}));
  REQUIRE(program.run().kind == Kind::SystemCall);
  REQUIRE(count() == 0);
}

TEST_CASE("what each kind of trap adds is subtracted, and an early stop is asked for later") {
  become(Pmu::Intel);
  machine.power_on();
  REQUIRE(use_counter({.kind = CounterKind::PmuIntel, .corrections = {3, 1, 2, 5}}));
  Program program{100};
  counter_writes();
  stop_at_count(40);
  REQUIRE(program.run().kind == Kind::Counter);
  REQUIRE(counter_writes().at(0).second == (1ull << 48) - 45);
  REQUIRE(count() == 42);  // by an interrupt, which adds 3
  REQUIRE(program.run().kind == Kind::SystemCall);
  REQUIRE(count() == 42 + 56 - 2);
}

TEST_CASE("32-bit sign extension is never met: no overflow is asked for further away") {
  become(Pmu::Intel).sign_extends = true;
  machine.power_on();
  REQUIRE(start());
  Program program{100};
  restart_count();
  stop_at_count(1ull << 40);
  REQUIRE(program.run().kind == Kind::SystemCall);
  REQUIRE(count() == 101);
}

TEST_CASE("an overflow left over from an earlier stint stops nothing") {
  become(Pmu::Intel).skid = 30;
  machine.power_on();
  REQUIRE(start());
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
  REQUIRE(start());
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
  REQUIRE(start());
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

TEST_CASE("icount counts and stops where instructions are time, whatever one takes") {
  become(Pmu::None).clock_rate = GENERATE(1, 2, 32);
  power_on_tcg();
  REQUIRE(start());
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
  REQUIRE(start());
  Program program{1000};
  for (const std::uint64_t place : {~0ull, ~0ull - 50, 1ull << 63}) {
    restart_count();
    arm_timer(reprise::Nanoseconds{300});
    stop_at_count(place);
    REQUIRE(program.run().kind == Kind::Timer);
  }
}

TEST_CASE("with icount a stop and the time limit are both waited for, whichever is first") {
  become(Pmu::None);
  power_on_tcg();
  REQUIRE(start());
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
  REQUIRE(start());
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
  REQUIRE(start());
  Program program{490};
  restart_count();
  arm_timer(reprise::Nanoseconds{100'000});
  stop_at_count(500);
  REQUIRE(program.run().kind == Kind::SystemCall);
  stop_at_count(0);
  machine.stamp += 1000;  // the kernel works meanwhile
  for (int i = 0; i < 500; ++i) REQUIRE(program.run().kind == Kind::SystemCall);
}

// ---- Guests, whose stints begin and end elsewhere (guest.cpp) ----

TEST_CASE("AMD's counter counts all rings of a guest and nothing of the machine") {
  become(Pmu::AmdCore).power_on();
  REQUIRE(start());
  restart_count();
  machine.writes.clear();
  begin_guest_stint();
  const Writes begun = counter_writes();
  REQUIRE_FALSE(begun.empty());
  CHECK(begun.back() == std::pair{Msr::PerfCtl0, PerfEvtSel::StandingGuest | PerfEvtSel::En});
  machine.value += 1234;
  CHECK_FALSE(end_guest_stint(guest_exit_reason, {.entry = 0, .exit = 0, .repeats_last = false}));
  CHECK(count() == 1234);
  CHECK((machine.control & PerfEvtSel::En) == 0);
}

TEST_CASE("icount counts what is the guest's between two time stamps, an INT n done again once") {
  become(Pmu::None);
  power_on_tcg();
  REQUIRE(start());
  restart_count();
  const auto stint = [](std::uint64_t instructions, bool repeats_last) {
    begin_guest_stint();
    const std::uint64_t exit = 1000 + instructions + instructions_of_switch;
    CHECK_FALSE(end_guest_stint(guest_exit_reason, {1000, exit, repeats_last}));
  };
  stint(500, false);
  CHECK(count() == 500);
  stint(7, true);
  CHECK(count() == 506);
  stint(0, true);  // nothing is taken away from what was counted
  CHECK(count() == 506);
}

TEST_CASE("icount learns the way to a guest from each stop, but not from an interrupt left over") {
  become(Pmu::None);
  power_on_tcg();
  REQUIRE(start());
  restart_count();
  const auto stopped_after = [](std::uint64_t instructions) {
    stop_at_count(count() + 5000);
    begin_guest_stint();
    const std::uint64_t exit = 1000 + instructions + instructions_of_switch;
    static_cast<void>(end_guest_stint(timer_vector, {1000, exit, false}));
    return this_cpu().icount.way_to_guest;
  };
  CHECK(stopped_after(4900) == 100);
  CHECK(stopped_after(0) == 100);
  CHECK(stopped_after(5002) == 98);
}
