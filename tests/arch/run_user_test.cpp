// What run_user() and kernel_trap() make of each reason, with a scripted ring 3 in the place of
// traps.asm: also of faults that emulators do not raise (the IRET to a RIP that is not canonical).
#include "arch/run_user.hpp"

#include <deque>
#include <stdexcept>

#include "arch/serial.hpp"
#include "arch/user_state.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupts.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/machine_check.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/timer.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch;
using Kind = Trap::Kind;

namespace {

std::deque<std::uint64_t> reasons;  // what enter_user() returns, one after the other
std::deque<bool> expiries;
std::size_t ends = 0, timer_notes = 0;
std::vector<int> device_notes;
bool recoverable = true;
std::uint64_t entered_with = 0;  // RFLAGS, the last time

void reset(std::deque<std::uint64_t> script) {
  x86::cpu = {};
  reasons = std::move(script);
  expiries.clear();
  ends = timer_notes = 0;
  device_notes.clear();
  recoverable = true;
}

Trap run() {
  UserState state;
  const Trap trap = run_user(state);
  REQUIRE(reasons.empty());
  return trap;
}

constexpr std::uint64_t gs_base = 0x1122334455667788;  // the program's

// At the top of a trap stack, as the CPU and traps.asm leave it.
x86::TrapFrame& frame_at(std::uint64_t vector, void (*place)()) {
  x86::TrapStack& stack = x86::boot_cpu.trap_stacks[x86::own_stack(vector)];
  stack.owner = &x86::boot_cpu;
  auto& frame = *reinterpret_cast<x86::TrapFrame*>(stack.top() - sizeof(x86::TrapFrame));
  frame = {};
  frame.vector = vector;
  frame.rip = reinterpret_cast<std::uint64_t>(place);
  return frame;
}

void elsewhere() {}

}  // namespace

// Landmark alone: nobody counts here.
const x86::CounterBackEnd& x86::pmu_intel() { throw std::logic_error("no counter"); }
const x86::CounterBackEnd& x86::pmu_amd() { throw std::logic_error("no counter"); }
const x86::CounterBackEnd& x86::icount() { throw std::logic_error("no counter"); }

extern "C" {
std::uint64_t kernel_trap(x86::TrapFrame* frame);
std::uint64_t enter_user(UserState* state) {
  entered_with = (*state)[Register::Rflags];
  (*state)[Register::Rflags] &= ~x86::Rflags::Rf;  // one instruction has been carried out
  const std::uint64_t reason = reasons.at(0);
  reasons.pop_front();
  return reason;
}
void system_call_entry() { timer_notes += 1000; }  // distinct bodies: distinct addresses
void iret_to_user() { timer_notes += 2000; }
void tried_wrmsr() { timer_notes += 4000; }
void enter_guest(x86::GuestSwitch*) { timer_notes += 8000; }
void guest_switch_end() { timer_notes += 16000; }
}
void x86::end_of_interrupt() { ++ends; }
void x86::note_timer_interrupt() { ++timer_notes; }
void x86::note_device_interrupt(std::uint8_t vector) { device_notes.push_back(vector); }
bool x86::take_timer_expiry() {
  const bool expired = expiries.at(0);
  expiries.pop_front();
  return expired;
}
bool x86::clear_machine_check() { return recoverable; }
void arch::write_emergency(std::string_view) {}

TEST_CASE("a system call and every exception come out as what they are") {
  reset({x86::system_call_reason});
  REQUIRE(run().kind == Kind::SystemCall);
  for (std::uint64_t vector = 0; vector < x86::exception_vectors; ++vector) {
    if (vector == x86::nmi_vector || vector == x86::machine_check_vector) continue;
    reset({vector | 0xfedcba98ull << 32});
    x86::cpu.cr2 = 0x1234567;
    const Trap trap = run();
    REQUIRE(trap.kind == Kind::Exception);
    REQUIRE(trap.vector == vector);
    REQUIRE(trap.error_code == 0xfedcba98);
    REQUIRE(trap.fault_address == (vector == x86::page_fault_vector ? 0x1234567 : 0));
  }
}

TEST_CASE("the timer's expiry ends the run, a leftover of an earlier arming does not") {
  reset({x86::timer_vector, x86::timer_vector, x86::timer_vector});
  expiries = {false, false, true};
  REQUIRE(run().kind == Kind::Timer);
  REQUIRE(timer_notes == 3);
  REQUIRE(ends == 3);
}

TEST_CASE(
    "a breakpoint where the program is entered does not trap, one where it was stopped does") {
  UserState state;
  state[Register::Rip] = 0x1111;
  set_breakpoint(BreakSlot::Target, reprise::UserAddr{0x1111});
  reset({x86::system_call_reason});
  static_cast<void>(run_user(state));
  CHECK((entered_with & x86::Rflags::Rf) != 0);
  state[Register::Rflags] = 0;
  reset({x86::spurious_vector, x86::system_call_reason});
  static_cast<void>(run_user(state));
  CHECK((entered_with & x86::Rflags::Rf) == 0);
  set_breakpoint(BreakSlot::Target, std::nullopt);
}

TEST_CASE("a device is told and acknowledged, a spurious interrupt is neither and ends nothing") {
  reset({x86::spurious_vector, x86::first_device_vector});
  REQUIRE(run().kind == Kind::Device);
  REQUIRE(device_notes == std::vector<int>{x86::first_device_vector});
  REQUIRE(ends == 1);
  reset({x86::last_device_vector + 1, x86::system_call_reason});
  REQUIRE(run().kind == Kind::SystemCall);
  REQUIRE(device_notes.empty());
  REQUIRE(ends == 1);
}

TEST_CASE("NMI and a recoverable machine check are told apart, one beyond recovery panics") {
  reset({x86::nmi_vector});
  REQUIRE(run().kind == Kind::NonMaskable);
  reset({x86::machine_check_vector});
  REQUIRE(run().kind == Kind::MachineCheck);
  reset({x86::machine_check_vector});
  recoverable = false;
  UserState state;
  REQUIRE_THROWS_AS(run_user(state), Panic);
}

TEST_CASE(
    "a guest's breakpoint on the kernel's way into it is passed over, elsewhere it is a panic") {
  const auto begin = reinterpret_cast<std::uint64_t>(enter_guest);
  const auto end = reinterpret_cast<std::uint64_t>(guest_switch_end);
  REQUIRE(begin < end);
  for (const std::uint64_t rip : {begin, end - 1}) {
    x86::TrapFrame& frame = frame_at(x86::debug_vector, elsewhere);
    frame.rip = rip;
    x86::cpu.dr6 = 1;
    CHECK(kernel_trap(&frame) == 0);
    CHECK(x86::cpu.dr6 == x86::Dr6::Initial);
    CHECK((frame.rflags & x86::Rflags::Rf) != 0);
  }
  x86::TrapFrame& frame = frame_at(x86::debug_vector, elsewhere);
  frame.rip = end;
  CHECK_THROWS_AS(kernel_trap(&frame), Panic);
}

TEST_CASE("a fault of the IRET into the program is the program's, with its error code") {
  reset({});
  for (const std::uint64_t vector : {11, 12, 13}) {
    auto* frame = &frame_at(vector, iret_to_user);
    frame->error_code = 0x18;
    x86::cpu.gs_swaps = 0;
    REQUIRE(kernel_trap(frame) == (vector | 0x18ull << 32));
    REQUIRE(x86::cpu.gs_swaps == 1);  // the program's base was active
    frame = &frame_at(vector, elsewhere);
    REQUIRE_THROWS_AS(kernel_trap(frame), Panic);
  }
  auto& page_fault = frame_at(x86::page_fault_vector, iret_to_user);
  REQUIRE_THROWS_AS(kernel_trap(&page_fault), Panic);
}

TEST_CASE("in the kernel an NMI passes, a debug trap only where SYSCALL enters, else it panics") {
  reset({});
  for (auto* place : {iret_to_user, system_call_entry, elsewhere}) {
    auto& nmi = frame_at(x86::nmi_vector, place);
    x86::boot_cpu.nmi_came = false;
    REQUIRE(kernel_trap(&nmi) == 0);
    REQUIRE(x86::boot_cpu.nmi_came);
  }
  auto* frame = &frame_at(x86::debug_vector, system_call_entry);
  REQUIRE(kernel_trap(frame) == 0);
  for (std::uint64_t vector = 0; vector < x86::exception_vectors; ++vector) {
    if (vector == x86::nmi_vector) continue;
    frame = &frame_at(vector, elsewhere);
    REQUIRE_THROWS_AS(kernel_trap(frame), Panic);
  }
}

TEST_CASE("a panic from a trap stack takes the GS base from there, other traps leave it alone") {
  const auto base_after = [](std::uint64_t vector, void (*place)()) {
    reset({});
    x86::cpu.msrs[x86::Msr::GsBase] = gs_base;
    try {
      static_cast<void>(kernel_trap(&frame_at(vector, place)));
    } catch (const Panic&) {
    }
    REQUIRE(x86::cpu.gs_swaps == 0);
    return x86::cpu.msrs[x86::Msr::GsBase];
  };
  const auto kernel_base = reinterpret_cast<std::uint64_t>(&x86::boot_cpu);
  for (const std::uint64_t vector :
       {x86::debug_vector, x86::double_fault_vector, x86::machine_check_vector}) {
    REQUIRE(base_after(vector, elsewhere) == kernel_base);
  }
  REQUIRE(base_after(x86::nmi_vector, iret_to_user) == gs_base);
  REQUIRE(base_after(x86::debug_vector, system_call_entry) == gs_base);
  REQUIRE(base_after(x86::page_fault_vector, elsewhere) == gs_base);
}

TEST_CASE("a WRMSR on trial goes on behind, with R8 cleared, its other faults are the kernel's") {
  reset({});
  auto* frame = &frame_at(x86::general_protection_vector, tried_wrmsr);
  frame->r8 = 1;
  const std::uint64_t at = frame->rip;
  REQUIRE(kernel_trap(frame) == 0);
  REQUIRE(frame->r8 == 0);
  REQUIRE(frame->rip == at + 2);
  frame = &frame_at(x86::page_fault_vector, tried_wrmsr);
  REQUIRE_THROWS_AS(kernel_trap(frame), Panic);
}

TEST_CASE("an interrupt that reaches the waiting kernel is handled and returns there") {
  reset({});
  auto* frame = &frame_at(x86::timer_vector, elsewhere);
  REQUIRE(kernel_trap(frame) == 0);
  REQUIRE(timer_notes == 1);
  frame = &frame_at(x86::first_device_vector, elsewhere);
  REQUIRE(kernel_trap(frame) == 0);
  REQUIRE(device_notes == std::vector<int>{x86::first_device_vector});
  REQUIRE(ends == 2);
}

TEST_CASE("a step is told from a breakpoint, and from the program's own trap flag") {
  constexpr std::uint64_t trap_flag = 0x100, stepped = 0x4000;
  UserState state;
  const auto trap_with = [&](std::uint64_t causes) {
    reset({x86::debug_vector});
    x86::cpu.dr6 = causes;
    const Trap trap = run_user(state);
    REQUIRE(x86::cpu.dr6 == 0xffff0ff0);
    return trap.kind;
  };
  REQUIRE(trap_with(stepped) == Kind::Exception);
  set_single_step(true);
  REQUIRE(trap_with(stepped) == Kind::Step);
  REQUIRE((entered_with & trap_flag) != 0);
  REQUIRE((state[Register::Rflags] & trap_flag) == 0);
  REQUIRE(trap_with(stepped | 1) == Kind::Step);  // named, but not enabled
  REQUIRE(trap_with(0) == Kind::Exception);       // INT1
  set_breakpoint(BreakSlot::Target, reprise::UserAddr{0x1111});
  set_breakpoint(BreakSlot::Behind, reprise::UserAddr{0x2222});
  REQUIRE(trap_with(stepped | 1) == Kind::Break);
  REQUIRE(trap_with(2) == Kind::Break);
  state[Register::Rflags] = trap_flag;
  REQUIRE(trap_with(stepped | 1) == Kind::Exception);
  REQUIRE((state[Register::Rflags] & trap_flag) != 0);
  set_single_step(false);
  state[Register::Rflags] = 0;
  REQUIRE(trap_with(1) == Kind::Break);
  REQUIRE((entered_with & trap_flag) == 0);
  set_breakpoint(BreakSlot::Target, std::nullopt);
  set_breakpoint(BreakSlot::Behind, std::nullopt);
}

TEST_CASE("breakpoints go on and off alone, and let a program go that stands at one") {
  using reprise::UserAddr;
  constexpr std::uint64_t resume_flag = 1 << 16;
  UserState state;
  const auto resumed_at = [&](std::uint64_t rip) {
    reset({x86::system_call_reason});
    state[Register::Rip] = rip;
    state[Register::Rflags] = 0;
    REQUIRE(run_user(state).kind == Kind::SystemCall);
    return (entered_with & resume_flag) != 0;
  };
  set_breakpoint(BreakSlot::Target, UserAddr{0x1111});
  REQUIRE(x86::cpu.dr0 == 0x1111);
  REQUIRE(x86::cpu.dr7 == 0x402);
  REQUIRE(resumed_at(0x1111));
  REQUIRE_FALSE(resumed_at(0x2222));
  set_breakpoint(BreakSlot::Behind, UserAddr{0x2222});
  REQUIRE(x86::cpu.dr1 == 0x2222);
  REQUIRE(x86::cpu.dr7 == 0x40a);
  REQUIRE(resumed_at(0x2222));
  set_breakpoint(BreakSlot::Target, std::nullopt);
  REQUIRE(x86::cpu.dr7 == 0x408);
  REQUIRE_FALSE(resumed_at(0x1111));
  set_breakpoint(BreakSlot::Behind, std::nullopt);
  REQUIRE(x86::cpu.dr7 == 0x400);
}
