// Runs a guest by AMD's SVM with nested paging (AMD APM Vol. 2 chapter 15), from the kernel's way
// in to the next stop that the kernel has to know of. What keeps both runs alike: no first run is
// ended by time behind STI or MOV SS nor where the resume flag is set, unless it stays there, and
// an interrupt of the guest's comes together with one of the kernel's. docs/guests.md has the whole
// list.
//
// Beside this file: guest_switch.asm, the way in and out; guest_traps.cpp, what a stop means;
// guest_events.cpp, what was on its way to the guest then; guest_breakpoints.cpp;
// guest_components.cpp, XCR0; guest_state.cpp, the registers as words; virtual_cpu.cpp, what is let
// through and what is not.
#include "arch/x86_64/guest.hpp"

#include "arch/timer.hpp"
#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/guest_breakpoints.hpp"
#include "arch/x86_64/guest_components.hpp"
#include "arch/x86_64/guest_events.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/guest_traps.hpp"
#include "arch/x86_64/interrupts.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/vmcb.hpp"

extern "C" void enter_guest(arch::x86::GuestSwitch* s);

namespace arch {

using namespace x86;

namespace {

constexpr std::uint32_t flush_all = 1, flush_guest = 3;
// Nanoseconds for the way into the guest and one instruction. A slow machine needs more than the
// least, and a guest can stand again where it cannot end.
constexpr std::uint64_t least_more_time = 500, most_more_time = 64'000;

std::uint64_t physical(reprise::FrameNumber frame) { return address_of(frame).value(); }

// One stay in the guest. Nothing: it goes on.
std::optional<Trap> run_stint(PerCpu& cpu, UserState& state, Arrival arrival) {
  VirtualCpu& virtual_cpu = *state.virtual_cpu;
  Vmcb& block = virtual_cpu.block();
  GuestSwitch s{.general = state.general.data(),
                .guest_block = physical(virtual_cpu.block_frame()),
                .host_block = physical(*cpu.guest.host_block)};
  put_trap_words(state);
  const GuestBreakpoints breakpoints = breakpoints_for(cpu, virtual_cpu);
  give_own_breakpoint(cpu, breakpoints, arrival, block);
  const std::uint64_t own_dr7 = block.dr7, own_dr6 = block.dr6;
  arm_breakpoints(cpu, breakpoints, arrival, block, s);
  block.tlb_control = 0;
  if (virtual_cpu.stale) block.tlb_control = board.guests.flush_by_asid ? flush_guest : flush_all;
  virtual_cpu.stale = false;
  const std::uint64_t shadow = block.shadow & 1, rip = block.rip;
  const std::uint64_t count_before = cpu.counting.counted;
  const std::uint64_t components = load_components(virtual_cpu);
  write_cr2(block.cr2);  // Bochs 2.7 does not load it at VMRUN
  begin_guest_stint();
  enter_guest(&s);
  const std::uint64_t reason = exit_reason(cpu, block);
  const std::optional<Trap> counted = end_guest_stint(
      reason,
      {.entry = s.entry_stamp, .exit = s.exit_stamp, .repeats_last = repeats_instruction(block)});
  unload_components(components, virtual_cpu);
  take_trap_words(state);
  block.event = interrupted_event(block);
  // QEMU 7.2 forgets this at VMRUN, and with it at the next stop before the same instruction.
  // Without a counter, a window that is open shows that the shadow is over.
  const bool window = block.exit_code == static_cast<std::uint64_t>(GuestExit::Window);
  const bool nothing_done =
      block.exit_code == exit_nested_fault || (!window && cpu.counting.counted == count_before);
  if (block.rip == rip && nothing_done) block.shadow |= shadow;
  block.dr7 = own_dr7;
  const std::uint64_t debug_causes = block.dr6 & Dr6::Causes;
  if (breakpoints.kernels != 0) block.dr6 = own_dr6;
  if (counted) return counted;
  return guest_trap(cpu, block, reason, breakpoints, debug_causes);
}

bool in_shadow(const UserState& state) { return (state.virtual_cpu->block().shadow & 1) != 0; }

// Where no time limit may end a first run: in a shadow, and where the resume flag (RF) is set,
// behind an IRET to an instruction that has faulted, as a breakpoint would not stop the second run
// there. Where breakpoints are armed, time ends a run that has gone astray, and RF may be ours.
bool cannot_end_here(const PerCpu& cpu, const UserState& state) {
  if (cpu.breakpoints[0] || cpu.breakpoints[1]) return false;
  return in_shadow(state) || (state.virtual_cpu->block().rflags & Rflags::Rf) != 0;
}

bool asks_for_window(const UserState& state) {
  return (state.virtual_cpu->block().virtual_interrupt & VirtualInterrupt::Irq) != 0;
}

// The guest can take an interrupt where it stands. Bochs 2.7 does not see that at VMRUN, but only
// when the guest itself sets the interrupt flag.
bool window_is_open(const UserState& state) {
  const bool on = (state[Register::Rflags] & Rflags::If) != 0;
  return asks_for_window(state) && on && !in_shadow(state) && state.virtual_cpu->block().event == 0;
}

// An interrupt of the kernel's waits when the guest is entered. Nothing: the guest goes on.
std::optional<Trap> run_with_kick(PerCpu& cpu, UserState& state, Arrival arrival) {
  kick_self();
  const std::optional<Trap> trap = run_stint(cpu, state, arrival);
  const bool still_waits = state.virtual_cpu->block().exit_code != exit_interrupt;
  if (still_waits) handle_interrupt(take_interrupt(cpu));
  return trap;
}

// QEMU 7.2 remembers an interrupt that VMRUN has delivered, and delivers it once more if the time
// comes to look at its timers before the guest stops for something else. So an interrupt of the
// kernel's comes with it, and stops the guest at its handler's first instruction. Nothing: the
// guest goes on.
std::optional<Trap> run_to_handler(PerCpu& cpu, UserState& state, Arrival arrival) {
  const std::uint64_t stop = cpu.counting.stop;
  stop_at_count(0);  // no instruction is carried out
  const std::optional<Trap> trap = run_with_kick(cpu, state, arrival);
  stop_at_count(stop);
  return trap;
}

// Nothing: the guest goes on.
std::optional<Trap> run_one_counted(PerCpu& cpu, UserState& state, Arrival arrival) {
  const std::uint64_t stop = cpu.counting.stop;
  stop_at_count(count() + 1);
  const std::optional<Trap> trap = run_stint(cpu, state, arrival);
  stop_at_count(stop);
  if (trap && trap->kind == Trap::Kind::Counter) return std::nullopt;
  return trap;
}

// The window opens behind the instruction in the shadow. With icount a counter stops the guest
// there, as QEMU 7.2 forgets the shadow at VMRUN. Otherwise an interrupt of the kernel's that waits
// stops it there, because the shadow holds that back, too. Nothing: the guest goes on.
std::optional<Trap> run_shadowed_instruction(PerCpu& cpu, UserState& state, Arrival arrival) {
  Vmcb& block = state.virtual_cpu->block();
  const bool counted = counter().kind == reprise::CounterKind::Icount;
  block.virtual_interrupt &= ~VirtualInterrupt::Irq;
  const std::optional<Trap> trap =
      counted ? run_one_counted(cpu, state, arrival) : run_with_kick(cpu, state, arrival);
  block.virtual_interrupt |= VirtualInterrupt::Irq;
  if (trap || counted || !in_shadow(state)) return trap;
  return run_stint(cpu, state, arrival);  // the interrupt was not held
}

std::optional<Trap> run_some(PerCpu& cpu, UserState& state, Arrival arrival) {
  if (delivers_interrupt(state.virtual_cpu->block())) return run_to_handler(cpu, state, arrival);
  if (window_is_open(state)) return stop_in_window(state);
  if (asks_for_window(state) && in_shadow(state)) {
    return run_shadowed_instruction(cpu, state, arrival);
  }
  return run_stint(cpu, state, arrival);
}

}  // namespace

Trap x86::run_guest(UserState& state) {
  PerCpu& cpu = this_cpu();
  std::uint64_t more_time = least_more_time;
  for (Arrival arrival = Arrival::Known;; arrival = Arrival::New) {
    if (stop_reached()) return {.kind = Trap::Kind::Counter};
    const std::optional<Trap> trap = run_some(cpu, state, arrival);
    if (!trap) continue;
    // The kernel changes the guest's memory behind such a fault.
    if (trap->kind == Trap::Kind::Exception) state.virtual_cpu->stale = true;
    const bool goes_on = trap->kind == Trap::Kind::Timer && cannot_end_here(cpu, state);
    if (!goes_on || more_time > most_more_time) return *trap;
    arm_timer(reprise::Nanoseconds{more_time});
    more_time *= 2;
  }
}

}  // namespace arch
