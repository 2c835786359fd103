// What run_guest() makes of each stop of a guest: exits, faults, interrupts and where time may end
// a run. guest_breakpoints_test.cpp has debug exceptions, guest_state_test.cpp the registers.
#include "arch/guest_state.hpp"
#include "arch/run_user.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "tests/arch/scripted_guest.hpp"
#include "tests/catch.hpp"

using namespace arch;
using namespace arch::x86;
using namespace scripted_guest;
using Kind = Trap::Kind;

TEST_CASE("a CPU without SVM, without nested paging, or locked by its firmware is told apart") {
  FakeMemory frames;
  x86::cpu = {};
  x86::boot_cpu.guest = {};
  CHECK(start_guests(frames) == GuestSupport::NoVirtualization);
  x86::cpu.leaves[{0x80000000, 0}] = {.eax = 0x8000001f};
  x86::cpu.leaves[{0x80000001, 0}] = {.ecx = 1 << 2};
  CHECK(start_guests(frames) == GuestSupport::NoNestedPaging);
  x86::cpu.leaves[{0x8000000a, 0}] = {.edx = 1};
  x86::cpu.msrs[Msr::VmCr] = VmCr::Svmdis;
  CHECK(start_guests(frames) == GuestSupport::Locked);
  CHECK(x86::cpu.msrs[Msr::Efer] == 0);
  x86::cpu.msrs[Msr::VmCr] = 0;
  frames.limit(1);
  CHECK(start_guests(frames) == GuestSupport::NoMemory);
  CHECK(frames.allocated() == 0);
  frames.limit(2);
  CHECK(start_guests(frames) == GuestSupport::Present);
  CHECK(x86::cpu.msrs[Msr::Efer] == Efer::Svme);
  CHECK(x86::cpu.msrs[Msr::VmHsavePa] != 0);
  CHECK(start_guests(frames) == GuestSupport::Present);
  CHECK(frames.allocated() == 2);
}

TEST_CASE("an intercepted instruction is an exit with its code and EXITINFO1") {
  World world;
  const Trap trap = world.run({stops(GuestExit::InputOutput, 0x03f80010, code_at + 1)});
  CHECK(trap.kind == Kind::Exit);
  CHECK(trap.error_code == static_cast<std::uint32_t>(GuestExit::InputOutput));
  CHECK(trap.fault_address == 0x03f80010);
}

TEST_CASE("a nested page fault is a page fault at a guest-physical address") {
  World world;
  constexpr std::uint64_t at_final_address = 1ull << 32, write_present_user = 7;
  const Trap trap =
      world.run({stops(nested_fault, at_final_address | write_present_user, 0x123456)});
  CHECK(trap.kind == Kind::Exception);
  CHECK(trap.fault() == FaultKind::WriteProtected);
  CHECK(trap.fault_address == 0x123456);
  CHECK(world.virtual_cpu->stale);  // the page gets another frame
}

TEST_CASE("translations are dropped once, before a run and behind a nested fault") {
  World world;
  std::vector<std::uint32_t> flushes;
  const Stay fault = [&](World& w, GuestSwitch& s) {
    flushes.push_back(w.block().tlb_control);
    stops(nested_fault, 7, 0x1000)(w, s);
  };
  const Stay halt = [&](World& w, GuestSwitch& s) {
    flushes.push_back(w.block().tlb_control);
    stops(GuestExit::Halt)(w, s);
  };
  static_cast<void>(world.run({fault}));
  static_cast<void>(world.run({halt}));
  static_cast<void>(world.run({halt}));
  load_rest(world.state);
  static_cast<void>(world.run({halt}));
  CHECK(flushes == std::vector<std::uint32_t>{1, 1, 0, 1});
}

TEST_CASE("the timer ends the guest's stay, and an interrupt that means nothing does not") {
  World world;
  const Trap trap = world.run({interrupted_by(timer_vector)});
  CHECK(trap.kind == Kind::Timer);
  world.expired = false;
  CHECK(world.run({interrupted_by(timer_vector), stops(GuestExit::Halt)}).kind == Kind::Exit);
  CHECK(world.handled == std::vector<std::uint8_t>{timer_vector, timer_vector});
  CHECK_FALSE(boot_cpu.guest.takes_interrupt);
}

TEST_CASE("no run is ended by time behind STI or MOV SS: it gets one more instruction") {
  World world;
  const Stay in_shadow = [](World& w, GuestSwitch& s) {
    w.block().shadow = 1;
    interrupted_by(timer_vector)(w, s);
  };
  const Stay behind = [](World& w, GuestSwitch& s) {
    w.block().shadow = 0;
    ++w.block().rip;
    interrupted_by(timer_vector)(w, s);
  };
  CHECK(world.run({in_shadow, in_shadow, behind}).kind == Kind::Timer);
  CHECK(world.timers.size() == 2);
}

TEST_CASE("the shadow lasts until its instruction is carried out, however often that faults") {
  World world;
  world.state[Register::Rip] = code_at;
  const Stay fault_in_shadow = [](World& w, GuestSwitch& s) {
    w.block().shadow = 1;
    stops(nested_fault, 7, 0x1000)(w, s);
  };
  const Stay fault_again = [](World& w, GuestSwitch& s) {
    w.block().shadow = 0;  // as QEMU 7.2 says
    stops(nested_fault, 7, 0x2000)(w, s);
  };
  const Stay behind = [](World& w, GuestSwitch& s) {
    w.block().shadow = 0;
    w.block().rip = code_at + 4;
    stops(nested_fault, 7, 0x3000)(w, s);
  };
  for (const Stay& stay : {fault_in_shadow, fault_again, fault_again}) {
    static_cast<void>(world.run({stay}));
    CHECK(world.block().shadow == 1);
  }
  // It is an instruction that the kernel carries out.
  const Stay halts = [](World& w, GuestSwitch& s) {
    w.block().shadow = 0;
    stops(GuestExit::Halt)(w, s);
  };
  static_cast<void>(world.run({halts}));
  CHECK(world.block().shadow == 1);
  static_cast<void>(world.run({behind}));
  CHECK(world.block().shadow == 0);
}

TEST_CASE("where a guest is to stop for an interrupt, that waits until the shadow is over") {
  World world;
  world.state[GuestWord::Shadow] = 1;
  world.state[GuestWord::Window] = 1;
  load_rest(world.state);
  boot_cpu.counting.settings.kind = reprise::CounterKind::Icount;
  const Stay in_shadow = [](World& w, GuestSwitch& s) {
    CHECK((w.block().virtual_interrupt & VirtualInterrupt::Irq) == 0);
    CHECK(boot_cpu.counting.stop == boot_cpu.counting.counted + 1);
    stops(nested_fault, 7, 0x1000)(w, s);
  };
  static_cast<void>(world.run({in_shadow}));
  CHECK((world.block().virtual_interrupt & VirtualInterrupt::Irq) != 0);
  CHECK(boot_cpu.counting.stop == 0);
  const Stay behind = [](World& w, GuestSwitch& s) {
    CHECK((w.block().virtual_interrupt & VirtualInterrupt::Irq) != 0);
    stops(GuestExit::Window)(w, s);
  };
  world.block().shadow = 0;
  CHECK(world.run({behind}).error_code == static_cast<std::uint32_t>(GuestExit::Window));
  boot_cpu.counting = {};
}

TEST_CASE("an event that a stop interrupted is delivered again, INT n is carried out again") {
  for (const std::uint64_t type : {0ul << 8, 2ul << 8, 3ul << 8, 4ul << 8}) {
    World world;
    const std::uint64_t event = GuestEvent::Valid | type | 14;
    const Stay interrupted = [=](World& w, GuestSwitch& s) {
      w.block().exit_event = event;
      stops(nested_fault, 7, 0x1000)(w, s);
    };
    static_cast<void>(world.run({interrupted}));
    const bool again = type != GuestEvent::SoftwareInterrupt;
    CHECK(world.block().event == (again ? event : 0));
    save_rest(world.state);
    CHECK(world.state[GuestWord::Event] == (again ? event : 0));
  }
}

TEST_CASE("an interrupt of the kernel's comes with the guest's, and stops it at its handler") {
  World world;
  static constexpr std::uint64_t stop = 100;
  const auto run = [&world](std::uint64_t event, const Stay& first, std::deque<Stay> more) {
    world.handled.clear();
    world.kicks = 0;
    world.block().event = event;
    stop_at_count(stop);
    more.push_front([&first](World& w, GuestSwitch& s) {
      const bool alone = (w.block().event & GuestEvent::Type) == 0;
      CHECK(w.kicks == (alone ? 1 : 0));
      CHECK(boot_cpu.counting.stop == (alone ? 0 : stop));
      first(w, s);
      w.block().exit_event = 0;
    });
    static_cast<void>(world.run(std::move(more)));
    CHECK(boot_cpu.counting.stop == stop);
    stop_at_count(0);
  };
  constexpr std::uint64_t interrupt = GuestEvent::Valid | 0x20;
  run(interrupt, interrupted_by(kick_vector), {stops(GuestExit::Halt)});
  CHECK(world.handled == std::vector<std::uint8_t>{kick_vector});
  CHECK(world.kicks == 1);
  // Nothing of it is left when the delivery itself stops the guest.
  const Stay faults = [](World& w, GuestSwitch& s) {
    interrupted_by(kick_vector)(w, s);
    stops(nested_fault, 7, 0x5000)(w, s);
  };
  run(interrupt, faults, {});
  CHECK(world.handled == std::vector<std::uint8_t>{kick_vector});
  // Exceptions go without.
  run(interrupt | GuestEvent::Exception, stops(GuestExit::Halt), {});
  CHECK(world.kicks == 0);
  CHECK(world.handled.empty());
}

TEST_CASE("without a counter, a window that opens shows that the shadow is over") {
  World world;
  world.state[GuestWord::Shadow] = 1;
  load_rest(world.state);
  const Stay opens = [](World& w, GuestSwitch& s) {
    w.block().shadow = 0;
    stops(GuestExit::Window)(w, s);
  };
  static_cast<void>(world.run({opens}));
  CHECK((world.block().shadow & 1) == 0);
}

TEST_CASE("the resume flag lasts over a nested fault, and over a stop that means nothing") {
  World world;
  const auto stop_with_flag = [](std::uint64_t code) {
    return Stay{[=](World& w, GuestSwitch& s) {
      w.block().rflags |= Rflags::Rf;
      stops(code)(w, s);
    }};
  };
  CHECK(world.run({stop_with_flag(0x400)}).kind == Kind::Exception);
  CHECK((world.state[Register::Rflags] & Rflags::Rf) == 0);  // no word of a stop within the run
  const Stay kept = [](World& w, GuestSwitch& s) {
    CHECK((w.block().rflags & Rflags::Rf) != 0);
    stops(0x400)(w, s);
  };
  static_cast<void>(world.run({kept}));
  save_rest(world.state);
  CHECK((world.state[Register::Rflags] & Rflags::Rf) != 0);  // the next PE begins with it
  load_rest(world.state);
  static_cast<void>(world.run({kept}));
  const Stay means_nothing = [](World& w, GuestSwitch& s) {
    w.block().rflags |= Rflags::Rf;
    interrupted_by(kick_vector)(w, s);
  };
  static_cast<void>(world.run({means_nothing, kept}));
  static_cast<void>(world.run({stop_with_flag(static_cast<std::uint64_t>(GuestExit::Cpuid))}));
  const Stay lost = [](World& w, GuestSwitch& s) {
    CHECK((w.block().rflags & Rflags::Rf) == 0);
    stops(GuestExit::Halt)(w, s);
  };
  static_cast<void>(world.run({lost}));
}

TEST_CASE("no run is ended by time where the resume flag is set: it gets one more instruction") {
  World world;
  const auto by_timer = [](std::uint64_t flag) {
    return Stay{[flag](World& w, GuestSwitch& s) {
      w.block().rflags = (w.block().rflags & ~Rflags::Rf) | flag;
      interrupted_by(timer_vector)(w, s);
    }};
  };
  CHECK(world.run({by_timer(Rflags::Rf), by_timer(0)}).kind == Kind::Timer);
  CHECK(world.timers.size() == 1);
  // A repetition that is interrupted has it, too, however long that takes. It is no word then.
  world.timers.clear();
  std::deque<Stay> stays(9, by_timer(Rflags::Rf));
  CHECK(world.run(stays).kind == Kind::Timer);
  CHECK(world.timers ==
        std::vector<std::uint64_t>{500, 1000, 2000, 4000, 8000, 16'000, 32'000, 64'000});
  save_rest(world.state);
  CHECK((world.state[Register::Rflags] & Rflags::Rf) == 0);
}

TEST_CASE("time ends a search where it stands, as the resume flag there may be the kernel's") {
  World world;
  world.state[Register::Rip] = code_at;
  boot_cpu.breakpoints[0] = reprise::UserAddr{code_at};
  const Stay stays_there = [](World& w, GuestSwitch& s) {
    CHECK((w.block().rflags & Rflags::Rf) != 0);
    interrupted_by(timer_vector)(w, s);
  };
  CHECK(world.run({stays_there}).kind == Kind::Timer);
  CHECK(world.timers.empty());
  boot_cpu.breakpoints[0].reset();
}

TEST_CASE(
    "the guest begins with its own CR2, whatever the kernel or the other run has left there") {
  World world;
  world.block().cr2 = 0x4010'dff8;
  x86::cpu.cr2 = 0x4010'cff8;
  const Stay faults = [](World&, GuestSwitch&) { CHECK(x86::cpu.cr2 == 0x4010'dff8); };
  CHECK(world.run({faults}).kind != Kind::Timer);
}

TEST_CASE("a window that is open already is a stop without the guest's being entered") {
  World world;
  world.state[Register::Rflags] |= Rflags::If;
  world.state[GuestWord::Window] = 1;
  load_rest(world.state);
  const Trap trap = world.run({});
  CHECK(trap.kind == Kind::Exit);
  CHECK(trap.error_code == static_cast<std::uint32_t>(GuestExit::Window));
}

TEST_CASE("INT3, and what an instruction was on its way to, are carried out again") {
  for (const bool breakpoint : {true, false}) {
    World world;
    x86::board.guests.next_rip_saved = true;
    const Stay stay = [=](World& w, GuestSwitch& s) {
      w.block().rip = code_at;
      w.block().next_rip = breakpoint ? 0 : code_at + 2;
      w.block().exit_event = GuestEvent::Valid | GuestEvent::Exception | (breakpoint ? 3 : 6);
      stops(0x400)(w, s);
    };
    static_cast<void>(world.run({stay}));
    CHECK(world.block().event == 0);
  }
  x86::board.guests.next_rip_saved = false;
}
