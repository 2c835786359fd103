// Runs a guest by AMD's SVM with nested paging (AMD APM Vol. 2 chapter 15), and decodes what
// stopped it into the traps of arch/run_user.hpp. Next: guest_switch.asm, the way in and out;
// guest_state.cpp, the registers as words; virtual_cpu.cpp, what is let through and what is not.
//
// What keeps both runs alike: an event that was on its way when the guest stopped is delivered
// again; an interrupt comes together with one of the kernel's; no run is ended by time behind STI
// or MOV SS; RF and XCR0 are the guest's own. docs/guests.md has the whole list.
#include "arch/x86_64/guest.hpp"

#include <array>

#include "arch/stepping.hpp"
#include "arch/timer.hpp"
#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupts.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/machine_check.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/vmcb.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/base/memory_map.hpp"

extern "C" void enter_guest(arch::x86::GuestSwitch* s);

namespace arch {

using namespace x86;

namespace {

// Exit codes that become other traps than Exit.
constexpr std::uint64_t exit_exceptions = 0x40, exit_interrupt = 0x60, exit_nmi = 0x61;

constexpr std::uint32_t flush_all = 1, flush_guest = 3;
// Enough for the way into the guest and one instruction. Under icount an instruction takes 1 ns.
constexpr reprise::Nanoseconds out_of_shadow{500};
constexpr std::uint32_t every_exception = ~std::uint32_t{0};
constexpr auto behind = static_cast<std::size_t>(BreakSlot::Behind);

std::uint64_t physical(reprise::FrameNumber frame) { return address_of(frame).value(); }

// ---- Breakpoints: the guest's own, and the kernel's beside them ----

constexpr std::size_t slots = 4;

constexpr std::uint64_t enables(std::size_t slot) { return bit(2 * slot) | bit(2 * slot + 1); }
constexpr std::uint64_t kind(std::size_t slot) { return 0xfull << (16 + 4 * slot); }

// What the guest runs with. Bit n of `kernels`: the breakpoint in slot n is the kernel's.
struct Breakpoints {
  std::array<std::uint64_t, slots> addresses{};
  std::uint64_t dr7 = 0;
  std::uint64_t kernels = 0;
};

// The kernel's take slots that the guest does not use; if all are used, the guest's own.
std::size_t slot_for(const Breakpoints& breakpoints) {
  std::size_t slot = 0;
  while (slot < slots && (breakpoints.dr7 & enables(slot)) != 0) ++slot;
  if (slot < slots) return slot;
  return (breakpoints.kernels & 1) == 0 ? 0 : 1;
}

Breakpoints breakpoints_for(const PerCpu& cpu, const VirtualCpu& virtual_cpu, const Vmcb& block) {
  Breakpoints result{.addresses = virtual_cpu.breakpoints, .dr7 = block.dr7};
  constexpr std::size_t cs = 1;
  for (const auto& breakpoint : cpu.breakpoints) {
    if (!breakpoint) continue;
    const std::size_t slot = slot_for(result);
    result.addresses[slot] = breakpoint->value() + block.segments[cs].base;
    result.dr7 = (result.dr7 & ~kind(slot)) | bit(2 * slot + 1);
    result.kernels |= bit(slot);
  }
  return result;
}

bool stands_at_breakpoint(const PerCpu& cpu, const Vmcb& block) {
  const reprise::UserAddr rip{block.rip};
  return cpu.breakpoints[0] == rip || cpu.breakpoints[1] == rip;
}

// QEMU 7.2 takes breakpoints from the machine's DR7 rather than the guest's: both have them.
void arm(const PerCpu& cpu, const Breakpoints& breakpoints, bool seen, Vmcb& block,
         GuestSwitch& s) {
  block.exceptions = always_intercepted;
  if ((breakpoints.dr7 & Dr7::Enabled) == 0) return;
  write_dr7(Dr7::Initial);  // what is armed in the machine must not hit the kernel meanwhile
  write_dr0(breakpoints.addresses[0]);
  write_dr1(breakpoints.addresses[1]);
  write_dr2(breakpoints.addresses[2]);
  write_dr3(breakpoints.addresses[3]);
  // A flip, or the guest, can set what MOV refuses in ring 0, or what traps MOVs there.
  s.dr7 = breakpoints.dr7 & Dr7::Writable & ~Dr7::Gd;
  // One of the guest's own in the kernel's half could hit the kernel itself on its way.
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const bool own = (breakpoints.kernels & bit(slot)) == 0;
    if (own && breakpoints.addresses[slot] >= reprise::user_high) s.dr7 &= ~enables(slot);
  }
  if (breakpoints.kernels == 0) return;
  block.dr7 = breakpoints.dr7;
  block.exceptions |= static_cast<std::uint32_t>(bit(debug_vector));
  if (cpu.breakpoints[behind]) block.exceptions = every_exception;
  block.dr6 = Dr6::Initial;  // it shows the causes of the next #DB alone
  // An event that waits comes first, and QEMU 7.2 would store the flag with it.
  if (seen && stands_at_breakpoint(cpu, block) && block.event == 0) block.rflags |= Rflags::Rf;
}

// ---- XCR0, for which the control block has no place ----

// The XCR0 that the guest runs with. A flip, or a monitor, can put values into the word that the
// CPU refuses: x87 alone takes their place.
std::uint64_t components_for(const VirtualCpu& virtual_cpu) {
  const std::uint64_t wanted = virtual_cpu.xcr0, offered = board.extended_state.components;
  const bool avx = (wanted & Xcr0::Avx) != 0, sse = (wanted & Xcr0::Sse) != 0;
  const std::uint64_t avx512 = wanted & Xcr0::Avx512;
  const bool valid = (wanted & Xcr0::X87) != 0 && (wanted & ~offered) == 0 && (sse || !avx) &&
                     (avx512 == 0 || (avx512 == Xcr0::Avx512 && avx));
  return valid ? wanted : Xcr0::X87;
}

// Without XSAVE there is no XCR0.
void load_components(std::uint64_t wanted) {
  const std::uint64_t own = board.extended_state.components;
  if (own != 0 && own != wanted) write_xcr0(wanted);
}

// QEMU 7.2 does not stop at XSETBV, so the guest may have changed it by itself.
void unload_components(std::uint64_t loaded, VirtualCpu& virtual_cpu) {
  const std::uint64_t own = board.extended_state.components;
  if (own == 0) return;
  const std::uint64_t now = read_xcr0();
  if (now != loaded) virtual_cpu.xcr0 = now;
  if (now != own) write_xcr0(own);
}

// ---- What stopped the guest ----

bool is_exception(std::uint64_t exit_code) {
  return exit_code >= exit_exceptions && exit_code < exit_exceptions + exception_vectors;
}

// A repeated instruction is being stepped over, and its count is not the guest's
// (arch/stepping.hpp). No handler of the guest's may see that, so the exception waits until the
// step is over.
Trap held_exception(Vmcb& block) {
  constexpr std::uint32_t with_error_code = bit(8) | 0x1f << 10 | bit(17) | bit(21);
  const std::uint64_t vector = block.exit_code - exit_exceptions;
  block.event = vector | GuestEvent::Exception | GuestEvent::Valid;
  if ((with_error_code >> vector & 1) != 0) {
    block.event |= GuestEvent::ErrorCode | block.exit_info_1 << 32;
  }
  if (vector == page_fault_vector) block.cr2 = block.exit_info_2;
  return {.kind = Trap::Kind::Break, .vector = static_cast<std::uint8_t>(vector)};
}

// The vector of the physical interrupt that waits; 0: it has gone.
std::uint8_t take_interrupt(PerCpu& cpu) {
  cpu.guest.taken = 0;
  cpu.guest.takes_interrupt = true;
  sti_nop();
  cli();
  cpu.guest.takes_interrupt = false;
  return cpu.guest.taken;
}

// As end_guest_stint() wants it.
std::uint64_t reason_of(PerCpu& cpu, const Vmcb& block) {
  if (block.exit_code == exit_interrupt) return take_interrupt(cpu);
  return block.exit_code == exit_nmi ? nmi_vector : guest_exit_reason;
}

// INT3 and INTO as SVM reports them: exceptions, but their frames show the instruction behind them,
// which an injected exception's would not.
bool breakpoint_or_overflow(std::uint64_t event) {
  constexpr std::uint64_t breakpoint = 3, overflow = 4;
  const std::uint64_t vector = event & GuestEvent::Vector;
  return (event & GuestEvent::Type) == GuestEvent::Exception &&
         (vector == breakpoint || vector == overflow);
}

// Bochs 2.7 does not say that it was INT n: EXITINTINFO has an earlier event. But it tells there
// how far the instruction reaches, and of faults and injected events it says zero bytes. A
// processor says so of intercepted instructions alone, and 0 otherwise (AMD APM Vol. 2 §15.7.1).
bool instruction_was_on_its_way(const Vmcb& block) {
  return board.guests.next_rip_saved && block.exit_code == exit_nested_fault &&
         reprise::is_between(block.rip + 1, block.next_rip, block.rip + longest_instruction);
}

// What the guest was delivering when it left: an instruction's own event comes again when that is
// carried out again, anything else is delivered again.
bool repeats_instruction(const Vmcb& block) {
  if ((block.exit_event & GuestEvent::Valid) == 0) return false;
  const bool int_n = (block.exit_event & GuestEvent::Type) == GuestEvent::SoftwareInterrupt;
  return int_n || breakpoint_or_overflow(block.exit_event) || instruction_was_on_its_way(block);
}
std::uint64_t interrupted_event(const Vmcb& block) {
  const bool valid = (block.exit_event & GuestEvent::Valid) != 0;
  return valid && !repeats_instruction(block) ? block.exit_event : 0;
}

// #DB is intercepted for the kernel's breakpoints. One that is not theirs goes on to the guest.
// Bochs 2.7 names no cause in DR6: what comes at a breakpoint of the kernel's is taken for that.
std::optional<Trap> debug_trap(const PerCpu& cpu, Vmcb& block, const Breakpoints& breakpoints,
                               std::uint64_t causes) {
  const bool by_kernels = (causes & breakpoints.kernels) != 0;
  if (by_kernels || (causes == 0 && stands_at_breakpoint(cpu, block))) {
    return Trap{.kind = Trap::Kind::Break, .vector = debug_vector};
  }
  // BS and BD stay until they are cleared, B3 to B0 until the next breakpoint.
  if ((causes & Dr6::Breakpoints) != 0) block.dr6 &= ~std::uint64_t{Dr6::Breakpoints};
  block.dr6 |= causes;
  block.event = debug_vector | GuestEvent::Exception | GuestEvent::Valid;
  return std::nullopt;
}

Trap machine_check() {
  if (!clear_machine_check()) REPRISE_PANIC("machine check that cannot be recovered from");
  return {.kind = Trap::Kind::MachineCheck, .vector = machine_check_vector};
}

// EXITINFO1 has the bits of a page fault's error code, and above them whose access it was.
Trap nested_fault(const Vmcb& block) {
  constexpr std::uint64_t fault_bits = 0x1f;
  return {.kind = Trap::Kind::Exception,
          .vector = page_fault_vector,
          .error_code = static_cast<std::uint32_t>(block.exit_info_1 & fault_bits),
          .fault_address = block.exit_info_2};
}

Trap guest_exit(const Vmcb& block) {
  return {.kind = Trap::Kind::Exit,
          .error_code = static_cast<std::uint32_t>(block.exit_code),
          .fault_address = block.exit_info_1};
}

// Nothing: the guest goes on.
std::optional<Trap> trap_of(const PerCpu& cpu, Vmcb& block, std::uint64_t reason,
                            const Breakpoints& breakpoints, std::uint64_t debug_causes) {
  switch (block.exit_code) {
    case exit_interrupt: return interrupt_trap(static_cast<std::uint8_t>(reason));
    case exit_nmi: return Trap{.kind = Trap::Kind::NonMaskable, .vector = nmi_vector};
    case exit_exceptions + debug_vector: return debug_trap(cpu, block, breakpoints, debug_causes);
    case exit_exceptions + machine_check_vector: return machine_check();
    case exit_nested_fault: return nested_fault(block);
    default: return is_exception(block.exit_code) ? held_exception(block) : guest_exit(block);
  }
}

// One stay in the guest. `seen`: a breakpoint where it stands has been reported.
std::optional<Trap> run_stint(PerCpu& cpu, UserState& state, bool seen) {
  VirtualCpu& virtual_cpu = *state.virtual_cpu;
  Vmcb& block = virtual_cpu.block();
  GuestSwitch s{.general = state.general.data(),
                .guest_block = physical(virtual_cpu.block_frame()),
                .host_block = physical(*cpu.guest.host_block)};
  put_trap_words(state);
  const std::uint64_t own_dr7 = block.dr7, own_dr6 = block.dr6;
  const Breakpoints breakpoints = breakpoints_for(cpu, virtual_cpu, block);
  arm(cpu, breakpoints, seen, block, s);
  block.tlb_control = 0;
  if (virtual_cpu.stale) block.tlb_control = board.guests.flush_by_asid ? flush_guest : flush_all;
  virtual_cpu.stale = false;
  const std::uint64_t shadow = block.shadow & 1, rip = block.rip;
  const std::uint64_t count_before = cpu.counting.counted;
  const std::uint64_t components = components_for(virtual_cpu);
  load_components(components);
  begin_guest_stint();
  enter_guest(&s);
  const std::uint64_t reason = reason_of(cpu, block);
  const std::optional<Trap> counted = end_guest_stint(
      reason,
      {.entry = s.entry_stamp, .exit = s.exit_stamp, .repeats_last = repeats_instruction(block)});
  unload_components(components, virtual_cpu);
  take_trap_words(state);
  block.event = interrupted_event(block);
  // QEMU 7.2 forgets this at VMRUN, and with it at the next stop before the same instruction.
  const bool nothing_done =
      block.exit_code == exit_nested_fault ||
      (block.exit_code == exit_interrupt && cpu.counting.counted == count_before);
  if (block.rip == rip && nothing_done) block.shadow |= shadow;
  block.dr7 = own_dr7;
  const std::uint64_t debug_causes = block.dr6 & Dr6::Causes;
  if (breakpoints.kernels != 0) block.dr6 = own_dr6;
  if (counted) return counted;
  return trap_of(cpu, block, reason, breakpoints, debug_causes);
}

bool in_shadow(const UserState& state) { return (state.virtual_cpu->block().shadow & 1) != 0; }

bool asks_for_window(const UserState& state) {
  return (state.virtual_cpu->block().virtual_interrupt & VirtualInterrupt::Irq) != 0;
}

// The guest can take an interrupt where it stands. Bochs 2.7 does not see that at VMRUN, but only
// when the guest itself sets the interrupt flag.
bool window_is_open(const UserState& state) {
  const bool on = (state[Register::Rflags] & Rflags::If) != 0;
  return asks_for_window(state) && on && !in_shadow(state) && state.virtual_cpu->block().event == 0;
}

// As the CPU would stop it.
Trap stop_in_window(UserState& state) {
  Vmcb& block = state.virtual_cpu->block();
  put_trap_words(state);
  block.exit_code = static_cast<std::uint64_t>(GuestExit::Window);
  block.exit_info_1 = 0;
  take_trap_words(state);
  return guest_exit(block);
}

// QEMU 7.2 remembers an interrupt that VMRUN has delivered, and delivers it once more if the time
// comes to look at its timers before the guest stops for something else. So an interrupt of the
// kernel's comes with it, and stops the guest at its handler's first instruction.
bool delivers_interrupt(const UserState& state) {
  const std::uint64_t event = state.virtual_cpu->block().event;
  return (event & (GuestEvent::Valid | GuestEvent::Type)) == GuestEvent::Valid;
}

// An interrupt of the kernel's waits when the guest is entered. Nothing: the guest goes on.
std::optional<Trap> run_with_kick(PerCpu& cpu, UserState& state, bool seen) {
  kick_self();
  const std::optional<Trap> trap = run_stint(cpu, state, seen);
  const bool still_waits = state.virtual_cpu->block().exit_code != exit_interrupt;
  if (still_waits) handle_interrupt(take_interrupt(cpu));
  return trap;
}

// Nothing: the guest goes on.
std::optional<Trap> run_to_handler(PerCpu& cpu, UserState& state, bool seen) {
  const std::uint64_t stop = cpu.counting.stop;
  stop_at_count(0);  // no instruction is carried out
  const std::optional<Trap> trap = run_with_kick(cpu, state, seen);
  stop_at_count(stop);
  return trap;
}

// Nothing: the guest goes on.
std::optional<Trap> run_one_counted(PerCpu& cpu, UserState& state, bool seen) {
  const std::uint64_t stop = cpu.counting.stop;
  stop_at_count(count() + 1);
  const std::optional<Trap> trap = run_stint(cpu, state, seen);
  stop_at_count(stop);
  if (trap && trap->kind == Trap::Kind::Counter) return std::nullopt;
  return trap;
}

// The window opens behind the instruction in the shadow. With icount a counter stops the guest
// there, as QEMU 7.2 forgets the shadow at VMRUN. Otherwise an interrupt of the kernel's that waits
// stops it there, because the shadow holds that back, too. Nothing: the guest goes on.
std::optional<Trap> run_shadowed_instruction(PerCpu& cpu, UserState& state, bool seen) {
  Vmcb& block = state.virtual_cpu->block();
  const bool counted = counter().kind == reprise::CounterKind::Icount;
  block.virtual_interrupt &= ~VirtualInterrupt::Irq;
  const std::optional<Trap> trap =
      counted ? run_one_counted(cpu, state, seen) : run_with_kick(cpu, state, seen);
  block.virtual_interrupt |= VirtualInterrupt::Irq;
  if (trap || counted || !in_shadow(state)) return trap;
  return run_stint(cpu, state, seen);  // the interrupt was not held
}

std::optional<Trap> run_some(PerCpu& cpu, UserState& state, bool seen) {
  if (delivers_interrupt(state)) return run_to_handler(cpu, state, seen);
  if (window_is_open(state)) return stop_in_window(state);
  if (asks_for_window(state) && in_shadow(state)) return run_shadowed_instruction(cpu, state, seen);
  return run_stint(cpu, state, seen);
}

}  // namespace

Trap x86::run_guest(UserState& state) {
  PerCpu& cpu = this_cpu();
  unsigned patience = 8;  // a guest can stand in a shadow again and again
  for (bool seen = true;; seen = false) {
    if (stop_reached()) return {.kind = Trap::Kind::Counter};
    const std::optional<Trap> trap = run_some(cpu, state, seen);
    if (!trap) continue;
    // The kernel changes the guest's memory behind such a fault.
    if (trap->kind == Trap::Kind::Exception) state.virtual_cpu->stale = true;
    if (trap->kind != Trap::Kind::Timer || !in_shadow(state) || patience == 0) return *trap;
    --patience;
    arm_timer(out_of_shadow);
  }
}

}  // namespace arch
