// Breakpoints of the kernel's in a guest, and the guest's own beside them.
#include "arch/guest_state.hpp"
#include "arch/run_user.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "tests/arch/scripted_guest.hpp"
#include "tests/catch.hpp"

using namespace arch;
using namespace arch::x86;
using namespace scripted_guest;
using Kind = Trap::Kind;

TEST_CASE("an exception of a repeated instruction that is stepped over waits for the step's end") {
  World world;
  boot_cpu.breakpoints[1] = reprise::UserAddr{code_at + 2};
  const Stay faults = [](World& w, GuestSwitch& s) {
    CHECK(w.block().exceptions == ~0u);
    stops(0x40 + page_fault_vector, 6, 0x40011000)(w, s);
  };
  CHECK_FALSE(event_waits(world.state));
  CHECK(world.run({faults}).kind == Kind::Break);
  CHECK(world.block().cr2 == 0x40011000);
  CHECK(world.block().event == (GuestEvent::Valid | GuestEvent::Exception | GuestEvent::ErrorCode |
                                page_fault_vector | std::uint64_t{6} << 32));
  CHECK(event_waits(world.state));
  const Stay divides = [](World& w, GuestSwitch& s) { stops(0x40)(w, s); };
  CHECK(world.run({divides}).kind == Kind::Break);
  CHECK(world.block().event == (GuestEvent::Valid | GuestEvent::Exception));
  boot_cpu.breakpoints[1].reset();
  const Stay delivered = [](World& w, GuestSwitch& s) {
    CHECK(w.block().exceptions == always_intercepted);
    stops(GuestExit::Halt)(w, s);
  };
  static_cast<void>(world.run({delivered}));
  CHECK_FALSE(event_waits(world.state));
}

TEST_CASE("a breakpoint of the kernel's stops the guest there, and leaves no trace in its own") {
  World world;
  world.state[GuestWord::Dr0] = 0x1111;
  world.state[GuestWord::Dr7] = Dr7::Initial;
  load_rest(world.state);
  boot_cpu.breakpoints[0] = reprise::UserAddr{0xffffffff81000000};
  const Stay arrives = [](World& w, GuestSwitch& s) {
    CHECK(x86::cpu.dr0 == 0xffffffff81000000);
    CHECK(s.dr7 == (Dr7::Initial | Dr7::G0));
    CHECK(w.block().dr7 == s.dr7);
    CHECK((w.block().exceptions & 1 << debug_vector) != 0);
    w.block().dr6 |= Dr6::B0;
    stops(0x40 + debug_vector)(w, s);
  };
  CHECK(world.run({arrives}).kind == Kind::Break);
  boot_cpu.breakpoints[0].reset();
  save_rest(world.state);
  CHECK(world.state[GuestWord::Dr0] == 0x1111);
  CHECK(world.state[GuestWord::Dr6] == Dr6::Initial);
  CHECK(world.state[GuestWord::Dr7] == Dr7::Initial);
  const Stay free = [](World& w, GuestSwitch& s) {
    CHECK(s.dr7 == 0);
    CHECK(w.block().exceptions == always_intercepted);
    stops(GuestExit::Halt)(w, s);
  };
  CHECK(world.run({free}).kind == Kind::Exit);
}

TEST_CASE("the guest's own breakpoints keep their slots beside the kernel's") {
  World world;
  constexpr std::uint64_t data_write_of_8_at_0 = 0b1001ull << 16, local_0 = 1, global_2 = bit(5);
  world.state[GuestWord::Dr0] = 0x1111;
  world.state[GuestWord::Dr2] = 0x3333;
  world.state[GuestWord::Dr7] = Dr7::Initial | data_write_of_8_at_0 | local_0 | global_2;
  load_rest(world.state);
  const std::uint64_t own = world.state[GuestWord::Dr7];
  const Stay with_own = [&](World& w, GuestSwitch& s) {
    CHECK(s.dr7 == own);
    CHECK(x86::cpu.dr0 == 0x1111);
    CHECK(w.block().exceptions == always_intercepted);  // the guest takes them itself
    stops(GuestExit::Halt)(w, s);
  };
  static_cast<void>(world.run({with_own}));
  boot_cpu.breakpoints = {reprise::UserAddr{code_at}, reprise::UserAddr{code_at + 2}};
  const Stay with_both = [&](World& w, GuestSwitch& s) {
    CHECK(s.dr7 == (own | bit(3) | bit(7)));
    CHECK(x86::cpu.dr0 == 0x1111);
    CHECK(x86::cpu.dr1 == code_at);
    CHECK(x86::cpu.dr2 == 0x3333);
    CHECK(x86::cpu.dr3 == code_at + 2);
    w.block().dr6 |= bit(0);  // the guest's
    stops(0x40 + debug_vector)(w, s);
  };
  const Stay arrives = [](World& w, GuestSwitch& s) {
    CHECK((w.block().event & GuestEvent::Valid) != 0);
    w.block().dr6 = Dr6::Initial | bit(3);
    stops(0x40 + debug_vector)(w, s);
  };
  CHECK(world.run({with_both}).kind == Kind::Break);  // it waits for the end of a step
  CHECK(world.run({arrives}).kind == Kind::Break);
  CHECK(world.block().dr7 == own);
}

TEST_CASE("a guest that stands at the breakpoint has not arrived there: RF is lent to it") {
  World world;
  world.state[Register::Rip] = code_at;
  boot_cpu.breakpoints[0] = reprise::UserAddr{code_at};
  const Stay stay = [](World& w, GuestSwitch& s) {
    CHECK((w.block().rflags & Rflags::Rf) != 0);
    stops(GuestExit::Halt)(w, s);
  };
  static_cast<void>(world.run({stay}));
  CHECK((world.state[Register::Rflags] & Rflags::Rf) == 0);
  // An interrupt that means nothing has stopped it there: this was not reported.
  const Stay comes_there = [](World& w, GuestSwitch& s) {
    w.block().rip = code_at;
    w.block().rflags &= ~Rflags::Rf;  // an instruction has been carried out
    interrupted_by(kick_vector)(w, s);
  };
  const Stay arrives = [](World& w, GuestSwitch& s) {
    CHECK((w.block().rflags & Rflags::Rf) == 0);
    w.block().dr6 = Dr6::Initial | bit(0);
    stops(0x40 + debug_vector)(w, s);
  };
  CHECK(world.run({comes_there, arrives}).kind == Kind::Break);
  world.block().event = GuestEvent::Valid | GuestEvent::Exception | page_fault_vector;
  const Stay delivers = [](World& w, GuestSwitch& s) {
    CHECK((w.block().rflags & Rflags::Rf) == 0);
    stops(GuestExit::Halt)(w, s);
  };
  static_cast<void>(world.run({delivers}));
}

TEST_CASE("a debug exception that is not the kernel's goes on to the guest") {
  World world;
  boot_cpu.breakpoints[0] = reprise::UserAddr{code_at};
  const Stay steps = [](World& w, GuestSwitch& s) {
    w.block().dr6 |= Dr6::Bs;
    stops(0x40 + debug_vector)(w, s);
  };
  const Stay delivered = [](World& w, GuestSwitch& s) {
    CHECK(w.block().event == (GuestEvent::Valid | GuestEvent::Exception | debug_vector));
    stops(GuestExit::Halt)(w, s);
  };
  CHECK(world.run({steps, delivered}).kind == Kind::Exit);
  CHECK((world.block().dr6 & Dr6::Bs) != 0);  // where the monitor reads it for the guest
}

TEST_CASE("a debug exception within a step over a repeated instruction waits for the step's end") {
  World world;
  boot_cpu.breakpoints[1] = reprise::UserAddr{code_at + 2};
  const Stay steps = [](World& w, GuestSwitch& s) {
    w.block().dr6 |= Dr6::Bs;
    stops(0x40 + debug_vector)(w, s);
  };
  CHECK(world.run({steps}).kind == Kind::Break);
  CHECK(world.block().event == debug_event);
  CHECK((world.block().dr6 & Dr6::Bs) != 0);
}

TEST_CASE(
    "a trap of the guest's own comes before the kernel's breakpoint at the next instruction") {
  constexpr std::uint64_t data_write_at_2 = 1ull << 24, local_2 = bit(4), global_0 = Dr7::G0;
  for (const std::uint64_t own : {Dr6::Bs, bit(2)}) {
    CAPTURE(own);
    World world;
    world.state[GuestWord::Dr7] = Dr7::Initial | data_write_at_2 | local_2 | global_0;
    load_rest(world.state);
    boot_cpu.breakpoints[0] = reprise::UserAddr{code_at};
    const Stay both = [&](World& w, GuestSwitch& s) {
      w.block().rip = code_at;
      w.block().dr6 |= own | Dr6::B1;
      stops(0x40 + debug_vector)(w, s);
    };
    const Stay delivered = [](World& w, GuestSwitch& s) {
      CHECK(w.block().event == debug_event);
      stops(GuestExit::Halt)(w, s);
    };
    CHECK(world.run({both, delivered}).kind == Kind::Exit);
    CHECK(world.block().dr6 == (Dr6::Initial | own));
  }
}

TEST_CASE("the guest's own breakpoint where the kernel waits comes when the search goes on there") {
  World world;
  world.state[Register::Rip] = code_at;
  world.state[GuestWord::Dr0] = code_at;
  world.state[GuestWord::Dr7] = Dr7::Initial | Dr7::G0;
  load_rest(world.state);
  boot_cpu.breakpoints[0] = reprise::UserAddr{code_at};
  const Stay delivered = [](World& w, GuestSwitch& s) {
    CHECK(w.block().event == debug_event);
    CHECK((w.block().rflags & Rflags::Rf) == 0);
    stops(GuestExit::Halt)(w, s);
  };
  static_cast<void>(world.run({delivered}));
  CHECK(world.block().dr6 == (Dr6::Initial | Dr6::B0));
  // With the guest's own resume flag it would not come, nor where it is switched off or watches
  // data, nor elsewhere.
  const Stay goes_on = [](World& w, GuestSwitch& s) {
    CHECK(w.block().event == 0);
    CHECK((w.block().rflags & Rflags::Rf) != 0);
    stops(GuestExit::Halt)(w, s);
  };
  constexpr std::uint64_t data_write_at_0 = 1ull << 16;
  struct Case {
    std::uint64_t dr0, dr7, flags;
  };
  for (const auto& [dr0, dr7, flags] :
       {Case{code_at, Dr7::G0, Rflags::Rf}, Case{code_at, 0, 0},
        Case{code_at, Dr7::G0 | data_write_at_0, 0}, Case{code_at + 1, Dr7::G0, 0}}) {
    world.state[Register::Rip] = code_at;
    world.state[Register::Rflags] = Rflags::Fixed | flags;
    world.state[GuestWord::Dr0] = dr0;
    world.state[GuestWord::Dr6] = Dr6::Initial;
    world.state[GuestWord::Dr7] = Dr7::Initial | dr7;
    world.state[GuestWord::Event] = 0;
    load_rest(world.state);
    static_cast<void>(world.run({goes_on}));
    CHECK(world.block().dr6 == Dr6::Initial);
  }
}

TEST_CASE("the guest's own breakpoint in the kernel's half comes in neither run") {
  World world;
  constexpr std::uint64_t high = 0xffff'ffff'8100'0000;
  world.state[Register::Rip] = high;
  world.state[GuestWord::Dr0] = high;
  world.state[GuestWord::Dr7] = Dr7::Initial | Dr7::G0;
  const Stay goes_on = [](World& w, GuestSwitch& s) {
    CHECK((s.dr7 & Dr7::G0) == 0);
    CHECK(w.block().event == 0);
    stops(GuestExit::Halt)(w, s);
  };
  load_rest(world.state);
  static_cast<void>(world.run({goes_on}));
  boot_cpu.breakpoints[0] = reprise::UserAddr{high};
  world.state[Register::Rip] = high;
  load_rest(world.state);
  static_cast<void>(world.run({goes_on}));
  boot_cpu.breakpoints[0].reset();
}

TEST_CASE("old causes in the guest's DR6 are not taken for a breakpoint of the kernel's") {
  World world;
  boot_cpu.breakpoints[0] = reprise::UserAddr{code_at};
  world.block().dr6 = Dr6::Initial | Dr6::B0;
  const Stay steps = [](World& w, GuestSwitch& s) {
    CHECK(w.block().dr6 == Dr6::Initial);
    w.block().dr6 |= Dr6::Bs;
    stops(0x40 + debug_vector)(w, s);
  };
  CHECK(world.run({steps, stops(GuestExit::Halt)}).kind == Kind::Exit);
  CHECK(world.block().dr6 == (Dr6::Initial | Dr6::B0 | Dr6::Bs));
}

TEST_CASE("without a cause in DR6, a debug exception at the kernel's breakpoint is the kernel's") {
  World world;
  boot_cpu.breakpoints[0] = reprise::UserAddr{code_at};
  const Stay arrives = [](World& w, GuestSwitch& s) {
    w.block().rip = code_at;
    stops(0x40 + debug_vector)(w, s);
  };
  CHECK(world.run({arrives}).kind == Kind::Break);
}
