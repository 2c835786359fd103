// What run_guest() makes of each stop of a guest, with a scripted guest in the place of
// guest_switch.asm; and its registers as words.
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "arch/guest_state.hpp"
#include "arch/guest_walk.hpp"
#include "arch/run_user.hpp"
#include "arch/timer.hpp"
#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/features.hpp"
#include "arch/x86_64/guest.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupts.hpp"
#include "arch/x86_64/machine_check.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/vmcb.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch;
using namespace arch::x86;
using Kind = Trap::Kind;

namespace {

struct World;
using Stay = std::function<void(World&, GuestSwitch&)>;

// One guest, and a script of its stays.
struct World {
  World() {
    current = this;
    x86::cpu = {};
    x86::boot_cpu.breakpoints = {};
    x86::boot_cpu.guest = {};
    x86::boot_cpu.counting = {};
    x86::cpu.leaves[{0x80000000, 0}] = {.eax = 0x8000001f};
    x86::cpu.leaves[{0x80000001, 0}] = {.ecx = 1 << 2};
    x86::cpu.leaves[{0x8000000a, 0}] = {.edx = 1};
    REQUIRE(start_guests(frames) == GuestSupport::Present);
    std::optional<PageTable> made = PageTable::create_nested(frames);
    REQUIRE(made);
    table.emplace(std::move(*made));
    std::optional<VirtualCpu> cpu = VirtualCpu::create(frames, *table);
    REQUIRE(cpu);
    virtual_cpu.emplace(std::move(*cpu));
    initialize_guest(state, *virtual_cpu);
    load_rest(state);
  }
  ~World() { current = nullptr; }

  [[nodiscard]] Vmcb& block() { return virtual_cpu->block(); }
  Trap run(std::deque<Stay> script) {
    stays = std::move(script);
    const Trap trap = run_user(state);
    REQUIRE(stays.empty());
    return trap;
  }

  static World* current;
  FakeMemory frames;
  std::optional<PageTable> table;
  std::optional<VirtualCpu> virtual_cpu;
  UserState state;
  std::deque<Stay> stays;
  std::vector<std::uint8_t> handled;  // interrupts
  std::vector<std::uint64_t> timers;  // nanoseconds for which each was armed
  std::size_t kicks = 0;
  bool expired = true;  // what take_timer_expiry() says
};
World* World::current = nullptr;

Stay stops(GuestExit code, std::uint64_t info = 0, std::uint64_t next = 0) {
  return [=](World& world, GuestSwitch&) {
    world.block().exit_code = static_cast<std::uint64_t>(code);
    world.block().exit_info_1 = info;
    world.block().exit_info_2 = next;
  };
}
Stay stops(std::uint64_t code, std::uint64_t info = 0, std::uint64_t next = 0) {
  return stops(static_cast<GuestExit>(code), info, next);
}

// A physical interrupt waits: kernel_trap() would note it.
Stay interrupted_by(std::uint8_t vector) {
  return [=](World& world, GuestSwitch&) {
    world.block().exit_code = 0x60;
    x86::cpu.interrupts_on = [vector] {
      REQUIRE(x86::boot_cpu.guest.takes_interrupt);
      x86::boot_cpu.guest.taken = vector;
    };
  };
}

constexpr std::uint64_t nested_fault = 0x400;
constexpr std::uint64_t code_at = 0x7000;
constexpr std::uint64_t debug_event = GuestEvent::Valid | GuestEvent::Exception | debug_vector;

}  // namespace

extern "C" void enter_guest(GuestSwitch* s) {
  World& world = *World::current;
  REQUIRE(s->guest_block == address_of(world.virtual_cpu->block_frame()).value());
  const Stay stay = world.stays.at(0);
  world.stays.pop_front();
  stay(world, *s);
}

// ---- What the rest of arch does meanwhile; no counter ----

const CounterBackEnd& x86::pmu_intel() { throw std::logic_error("no counter"); }
const CounterBackEnd& x86::pmu_amd() { throw std::logic_error("no counter"); }
const CounterBackEnd& x86::icount() { throw std::logic_error("no counter"); }
bool x86::clear_machine_check() { return true; }
void arch::arm_timer(reprise::Nanoseconds time) { World::current->timers.push_back(time.value()); }
std::optional<Trap> x86::interrupt_trap(std::uint8_t vector) {
  World::current->handled.push_back(vector);
  if (vector != timer_vector || !World::current->expired) return std::nullopt;
  return Trap{.kind = Kind::Timer, .vector = vector};
}
void x86::handle_interrupt(std::uint8_t vector) { World::current->handled.push_back(vector); }
void x86::kick_self() { ++World::current->kicks; }
// What has a virtual CPU does not come here.
Trap arch::run_user(UserState& state) { return run_guest(state); }

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

TEST_CASE("the guest runs with its own XCR0, as far as the machine can have that") {
  World world;
  struct Case {
    std::uint64_t own, wanted, loaded;
  };
  constexpr std::uint64_t avx = 7, avx512 = 0xe7;
  for (const auto& [own, wanted, loaded] :
       {Case{avx, avx, avx}, Case{avx, 3, 3}, Case{avx, 1, 1}, Case{avx512, avx512, avx512},
        Case{avx512, avx, avx}, Case{avx, avx512, 1}, Case{avx, 6, 1}, Case{avx512, 5, 1},
        Case{avx512, 0x27, 1}, Case{avx512, 0xe3, 1}, Case{avx, 1ul << 63 | 7, 1}, Case{0, 7, 0}}) {
    CAPTURE(own);
    CAPTURE(wanted);
    board.extended_state.components = x86::cpu.xcr0 = own;
    world.virtual_cpu->xcr0 = wanted;
    std::uint64_t seen = ~0ul;
    const Stay stay = [&seen](World& w, GuestSwitch& s) {
      seen = x86::cpu.xcr0;
      stops(GuestExit::Halt)(w, s);
    };
    static_cast<void>(world.run({stay}));
    CHECK(seen == loaded);
    CHECK(x86::cpu.xcr0 == own);
    CHECK(world.virtual_cpu->xcr0 == wanted);  // a flip in it stays to be found
  }
  board.extended_state.components = x86::cpu.xcr0 = avx;
  world.virtual_cpu->xcr0 = 1;
  const Stay changes = [](World& w, GuestSwitch& s) {
    x86::cpu.xcr0 = 3;  // where XSETBV is no exit
    stops(GuestExit::Halt)(w, s);
  };
  static_cast<void>(world.run({changes}));
  CHECK(world.virtual_cpu->xcr0 == 3);
  CHECK(x86::cpu.xcr0 == avx);
  board.extended_state = {};
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

TEST_CASE("each word that a monitor sets comes back, and the machine keeps what is its own") {
  World world;
  std::uint64_t value = 3;
  for (std::uint64_t& word : world.state.guest) {
    word = value;
    value += 2;
  }
  world.state[GuestWord::Cpl] = 3;
  world.state[GuestWord::Shadow] = 1;
  world.state[GuestWord::Window] = 1;
  world.state[GuestWord::Cr8] = 5;
  const UserState given = world.state;
  load_rest(world.state);
  CHECK(world.block().efer == (given[GuestWord::Efer] | Efer::Svme));
  CHECK((world.block().virtual_interrupt & VirtualInterrupt::Masking) != 0);
  world.state.guest.fill(~0ull);
  save_rest(world.state);
  for (std::size_t i = 0; i < static_cast<std::size_t>(GuestWord::count); ++i) {
    INFO("word " << i);
    if (i == static_cast<std::size_t>(GuestWord::NextRip)) continue;
    CHECK(world.state.guest[i] == given.guest[i]);
  }
  for (std::size_t i = static_cast<std::size_t>(GuestWord::count); i < guest_words; ++i) {
    CHECK(world.state.guest[i] == 0);
  }
}

TEST_CASE("every bit of a guest's words counts in the comparison and in the check word") {
  World world;
  const std::unique_ptr<UserState> other = std::make_unique<UserState>(world.state);
  const std::uint64_t sum = world.state.check_word();
  REQUIRE(world.state.same_as(*other));
  const std::span<std::uint64_t> words = other->words();
  REQUIRE(words.size() == general_words + extended_words + guest_words);
  const std::size_t gap = general_words + board.extended_state.words;
  REQUIRE(gap < general_words + extended_words);
  for (std::size_t i = 0; i < words.size(); ++i) {
    // No register of this machine's is there.
    const bool in_gap = gap <= i && i < general_words + extended_words;
    INFO("word " << i);
    for (unsigned bit = 0; bit < 64; ++bit) {
      words[i] ^= 1ull << bit;
      REQUIRE(world.state.same_as(*other) == in_gap);
      REQUIRE((other->check_word() == sum) == in_gap);
      words[i] ^= 1ull << bit;
    }
  }
}

TEST_CASE("the instruction that stopped the guest has the length of its kind") {
  struct Case {
    GuestExit code;
    std::uint64_t length;
  };
  for (const Case& c :
       {Case{GuestExit::Halt, 1}, Case{GuestExit::Cpuid, 2}, Case{GuestExit::Msr, 2},
        Case{GuestExit::TimeStamp, 2}, Case{GuestExit::TimeStampP, 3}, Case{GuestExit::Call, 3},
        Case{GuestExit::SetExtended, 3}}) {
    World world;
    world.state[Register::Rip] = code_at;
    static_cast<void>(world.run({stops(c.code)}));
    save_rest(world.state);
    skip_instruction(world.state);
    CHECK(world.state[Register::Rip] == code_at + c.length);
  }
  World world;
  static_cast<void>(world.run({stops(GuestExit::InputOutput, 0, 0x4321)}));
  save_rest(world.state);
  CHECK(world.state[GuestWord::NextRip] == 0x4321);
}

// ---- Where a guest's code lies ----

namespace {

// Maps guest-physical pages to frames of their own, and writes the guest's tables there.
struct Memory {
  World& world;
  void map(std::uint64_t page) {
    const auto frame = world.frames.allocate();
    REQUIRE(frame);
    for (std::uint64_t& word : world.frames.words(*frame)) word = 0;
    REQUIRE(world.table->map(reprise::PageNumber{page}, {.frame = *frame, .permissions = {}}));
  }
  std::uint64_t& word(std::uint64_t at) {
    const auto mapping = world.table->find(reprise::PageNumber{at / 4096});
    REQUIRE(mapping);
    return world.frames.words(mapping->frame)[at % 4096 / 8];
  }
};

}  // namespace

TEST_CASE("code is found through every kind of the guest's page tables") {
  World world;
  Memory memory{world};
  Vmcb& block = world.block();
  const auto page_at = [&](std::uint64_t address) {
    const auto page = code_page(world.state, *world.table, address);
    return page ? page->value() : ~0ull;
  };
  CHECK(page_at(0x5123) == 5);  // without paging
  block.segments[1].base = 0x10000;
  CHECK(page_at(0x5123) == 0x15);
  block.segments[1].base = 0;
  for (const std::uint64_t page : {1, 2, 3, 4}) memory.map(page);
  block.cr0 = Cr0::Pg | Cr0::Pe;
  block.cr3 = 0x1000;
  SECTION("32-bit, with pages of 4 KiB and 4 MiB") {
    memory.word(0x1000) = 0x2001;                          // entry 0
    memory.word(0x1000) |= std::uint64_t{0xc00083} << 32;  // entry 1, large
    memory.word(0x2000 + 4 * 6) = 0x7001;                  // page 6
    CHECK(page_at(0x6123) == 7);
    CHECK(page_at(0x5123) == ~0ull);
    block.cr4 = Cr4::Pse;
    CHECK(page_at(0x4ff123) == 0xc00 + 0xff);
  }
  SECTION("PAE") {
    block.cr4 = Cr4::Pae;
    memory.word(0x1000) = 0x2001;
    memory.word(0x2008) = 0x3001;
    memory.word(0x3008) = 0x9001;
    CHECK(page_at(0x201123) == 9);
    memory.word(0x2010) = 0x800081;
    CHECK(page_at(0x4ff123) == 0x800 + 0xff);
  }
  SECTION("4 levels, of which one is absent in guest memory") {
    block.cr4 = Cr4::Pae;
    block.efer = Efer::Lma;
    memory.word(0x1ff8) = 0x2001;
    memory.word(0x2ff0) = 0x3001;
    memory.word(0x3000) = 0x4001;
    memory.word(0x4008) = 0x1234567001;
    CHECK(page_at(0xffffffff80001123) == 0x1234567);
    memory.word(0x3008) = 0x55001;
    CHECK(page_at(0xffffffff80200123) == ~0ull);
  }
}
