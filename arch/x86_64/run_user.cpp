// The C++ side of traps.asm: tells the kernel what stopped its program, and deals with the few
// traps that can come while the kernel itself runs. The kernel never touches program memory through
// the program's addresses, so an exception of its own is always a broken invariant.
#include "arch/run_user.hpp"

#include "arch/serial.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/guest.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupts.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/machine_check.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/timer.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/base/memory_map.hpp"
#include "kernel/base/text_line.hpp"

extern "C" {
std::uint64_t enter_user(arch::UserState* state);
std::uint64_t kernel_trap(arch::x86::TrapFrame* frame);
void system_call_entry();
void iret_to_user();
void tried_wrmsr();
void enter_guest(arch::x86::GuestSwitch* s);
void guest_switch_end();
}

namespace arch {

using namespace x86;

namespace {

bool stands_at(const TrapFrame& frame, void (*place)()) {
  return frame.rip == reinterpret_cast<std::uint64_t>(place);
}

// `registers`: in the order of TrapFrame.
[[noreturn]] void panic_with_registers(const TrapFrame& f) {
  using reprise::Hex;
  reprise::TextLine line{"\n[reprise] exception in the kernel\nreprise: trap vector=",
                         Hex{f.vector},
                         " error=",
                         Hex{f.error_code},
                         " rip=",
                         Hex{f.rip},
                         " rsp=",
                         Hex{f.rsp},
                         " rflags=",
                         Hex{f.rflags},
                         " cr2=",
                         Hex{read_cr2()},
                         " registers="};
  for (const std::uint64_t* word = &f.r8; word <= &f.rbp; ++word) line.append(Hex{*word}, ",");
  line.append("\n");
  write_emergency(line.view());
  REPRISE_PANIC("exception in the kernel");
}

// On the way into a guest or out of it, where its breakpoints are armed already or still.
bool stands_in_guest_switch(const TrapFrame& frame) {
  const auto begin = reinterpret_cast<std::uint64_t>(enter_guest);
  const auto end = reinterpret_cast<std::uint64_t>(guest_switch_end);
  return frame.rip >= begin && frame.rip < end;
}

bool stands_at_breakpoint(const PerCpu& cpu, std::uint64_t rip) {
  const reprise::UserAddr address{rip};
  return cpu.breakpoints[0] == address || cpu.breakpoints[1] == address;
}

// Which of DR0 and DR1 are in use, as bits that stand for them in some register.
std::uint64_t of_breakpoints(const PerCpu& cpu, std::uint64_t target, std::uint64_t behind) {
  return (cpu.breakpoints[0] ? target : 0) | (cpu.breakpoints[1] ? behind : 0);
}

// The causes that DR6 names stay set until cleared, and a breakpoint may be named that is not
// enabled (Intel SDM Vol. 3B §17.2.3). A step that the program's own trap flag asked for is the
// program's.
Trap::Kind debug_trap(const PerCpu& cpu, bool stepped) {
  const std::uint64_t cause = read_dr6();
  write_dr6(Dr6::Initial);
  const bool single = (cause & Dr6::Bs) != 0;
  if (single && !stepped) return Trap::Kind::Exception;
  if ((cause & of_breakpoints(cpu, Dr6::B0, Dr6::B1)) != 0) return Trap::Kind::Break;
  return single ? Trap::Kind::Step : Trap::Kind::Exception;
}

// `reason` as enter_user() returns it.
Trap exception_trap(const PerCpu& cpu, std::uint64_t reason, bool stepped) {
  const auto vector = static_cast<std::uint8_t>(reason);
  if (vector == nmi_vector) return {.kind = Trap::Kind::NonMaskable, .vector = vector};
  if (vector == machine_check_vector) {
    if (!clear_machine_check()) REPRISE_PANIC("machine check that cannot be recovered from");
    return {.kind = Trap::Kind::MachineCheck, .vector = vector};
  }
  return {.kind = vector == debug_vector ? debug_trap(cpu, stepped) : Trap::Kind::Exception,
          .vector = vector,
          .error_code = static_cast<std::uint32_t>(reason >> 32),
          .fault_address = vector == page_fault_vector ? read_cr2() : 0};
}

bool is_device(std::uint8_t vector) {
  return reprise::is_between(first_device_vector, vector, last_device_vector);
}

// One stay in ring 3. `seen`: a breakpoint where the program stands has been reported. Nothing: an
// interrupt that means nothing here ended it.
std::optional<Trap> run_stint(PerCpu& cpu, UserState& state, bool seen) {
  std::uint64_t& flags = state[Register::Rflags];
  const bool step = cpu.single_step && (flags & Rflags::Tf) == 0;  // else the flag is the program's
  const std::uint64_t lent = (step ? Rflags::Tf : 0) | cpu.port_rights;
  flags |= lent;
  if (seen && stands_at_breakpoint(cpu, state[Register::Rip])) flags |= Rflags::Rf;
  begin_stint();
  const std::uint64_t reason = enter_user(&state);
  const std::optional<Trap> counted = end_stint(reason);
  flags &= ~lent;
  if (counted) return counted;
  if (reason == system_call_reason) return Trap{.kind = Trap::Kind::SystemCall};
  const auto vector = static_cast<std::uint8_t>(reason);
  if (vector < exception_vectors) return exception_trap(cpu, reason, step);
  return interrupt_trap(vector);
}

// run_guest() wants to know which interrupt waits. No second one may come behind it.
bool take_for_guest(TrapFrame& frame) {
  GuestState& guest = this_cpu().guest;
  if (!guest.takes_interrupt) return false;
  guest.takes_interrupt = false;
  guest.taken = static_cast<std::uint8_t>(frame.vector);
  frame.rflags &= ~Rflags::If;
  return true;
}

// A trap on a stack of its own may have come while GS was the program's: from here on it is this
// CPU's, for all that a panic does.
[[noreturn]] void panic_in_kernel(const TrapFrame& frame) {
  if (own_stack(frame.vector) != 0) {
    write_msr(Msr::GsBase, reinterpret_cast<std::uint64_t>(owner_of_stack(frame)));
  }
  panic_with_registers(frame);
}

}  // namespace

void x86::handle_interrupt(std::uint8_t vector) {
  if (vector == spurious_vector) return;
  if (vector == timer_vector) note_timer_interrupt();
  if (is_device(vector)) note_device_interrupt(vector);
  end_of_interrupt();
}

std::optional<Trap> x86::interrupt_trap(std::uint8_t vector) {
  handle_interrupt(vector);
  if (is_device(vector)) return Trap{.kind = Trap::Kind::Device, .vector = vector};
  if (vector == timer_vector && take_timer_expiry()) {
    return Trap{.kind = Trap::Kind::Timer, .vector = vector};
  }
  return std::nullopt;
}

void set_single_step(bool on) { this_cpu().single_step = on; }

// By the privilege level for input and output rather than the bitmap (Intel SDM Vol. 1 §18.5): the
// one instruction that it opens all ports to has been looked at.
void set_ports(Ports ports) { this_cpu().port_rights = ports == Ports::Open ? Rflags::Iopl : 0; }

void set_breakpoint(BreakSlot slot, std::optional<reprise::UserAddr> address) {
  PerCpu& cpu = this_cpu();
  cpu.breakpoints[static_cast<std::size_t>(slot)] = address;
  if (address && slot == BreakSlot::Target) write_dr0(address->value());
  if (address && slot == BreakSlot::Behind) write_dr1(address->value());
  // A guest's address may also be one of the kernel's own: run_guest() arms it, for the guest
  // alone.
  const bool in_ring_3 = !address || address->value() < reprise::user_high;
  if (in_ring_3) write_dr7(Dr7::Initial | of_breakpoints(cpu, Dr7::G0, Dr7::G1));
}

Trap run_user(UserState& state) {
  if (state.virtual_cpu != nullptr) return run_guest(state);
  PerCpu& cpu = this_cpu();
  for (bool seen = true;; seen = false) {
    if (stop_reached()) return {.kind = Trap::Kind::Counter};
    const std::optional<Trap> trap = run_stint(cpu, state, seen);
    if (trap) return *trap;
  }
}

}  // namespace arch

// Called by traps.asm with a trap that came in ring 0; the result is 0 to go on, else the value
// that enter_user() returns to run_user().
// GS may be the program's, see per_cpu.hpp.
std::uint64_t kernel_trap(arch::x86::TrapFrame* frame) {
  using namespace arch;
  const std::uint64_t vector = frame->vector;
  if (vector >= exception_vectors) {  // only where x86_64/interrupts.hpp says they are let in
    if (take_for_guest(*frame)) return 0;
    handle_interrupt(static_cast<std::uint8_t>(vector));
    return 0;
  }
  if (vector == nmi_vector) {
    owner_of_stack(*frame)->nmi_came = true;
    return 0;
  }
  // SYSCALL with TF set traps behind the instruction, that is, here (Intel SDM Vol. 3B §17.3.2);
  // the program's TF is in the state by then.
  if (vector == debug_vector && stands_at(*frame, system_call_entry)) {
    write_dr6(Dr6::Initial);
    return 0;
  }
  // A guest may have put breakpoints wherever it likes.
  if (vector == debug_vector && stands_in_guest_switch(*frame)) {
    write_dr6(Dr6::Initial);
    frame->rflags |= Rflags::Rf;
    return 0;
  }
  // The IRET into the program faults before the change of rings when its RIP is not canonical: that
  // is the program's own fault, and its registers are still in the state.
  if (reprise::is_between(segment_not_present_vector, vector, general_protection_vector) &&
      stands_at(*frame, iret_to_user)) {
    swapgs();
    return vector | frame->error_code << 32;
  }
  if (vector == general_protection_vector && stands_at(*frame, tried_wrmsr)) {
    constexpr std::uint64_t length = 2;
    frame->r8 = 0;
    frame->rip += length;
    return 0;
  }
  panic_in_kernel(*frame);
}
