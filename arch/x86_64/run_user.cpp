// The C++ side of traps.asm: tells the kernel what stopped its program, and deals with the few
// traps that can come while the kernel itself runs. The kernel never touches program memory through
// the program's addresses, so an exception of its own is always a broken invariant.
#include "arch/run_user.hpp"

#include <array>

#include "arch/device_access.hpp"
#include "arch/machine.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/parts.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/base/text_line.hpp"

extern "C" {
std::uint64_t enter_user(arch::UserState* state);
std::uint64_t kernel_trap(arch::x86::TrapFrame* frame);
void system_call_entry();
void iret_to_user();
void tried_wrmsr();
}

namespace arch {

using namespace x86;

namespace {

constinit bool single_step = false;
constinit std::uint64_t port_rights = 0;                                  // in RFLAGS
constinit std::array<std::optional<reprise::UserAddr>, 2> breakpoints{};  // by BreakSlot

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

bool stands_at_breakpoint(std::uint64_t rip) {
  return breakpoints[0] == reprise::UserAddr{rip} || breakpoints[1] == reprise::UserAddr{rip};
}

// The causes that DR6 names stay set until cleared, and a breakpoint may be named that is not
// enabled (Intel SDM Vol. 3B §17.2.3). A step that the program's own trap flag asked for is the
// program's.
Trap::Kind debug_trap(bool stepped) {
  const std::uint64_t cause = read_dr6();
  const std::uint64_t armed = (breakpoints[0] ? Dr6::B0 : 0) | (breakpoints[1] ? Dr6::B1 : 0);
  write_dr6(Dr6::Initial);
  const bool single = (cause & Dr6::Bs) != 0;
  if (single && !stepped) return Trap::Kind::Exception;
  if ((cause & armed) != 0) return Trap::Kind::Break;
  return single ? Trap::Kind::Step : Trap::Kind::Exception;
}

Trap exception_trap(std::uint8_t vector, std::uint32_t error_code, bool stepped) {
  if (vector == nmi_vector) return {.kind = Trap::Kind::NonMaskable, .vector = vector};
  if (vector == machine_check_vector) {
    if (!clear_machine_check()) REPRISE_PANIC("machine check that cannot be recovered from");
    return {.kind = Trap::Kind::MachineCheck, .vector = vector};
  }
  return {.kind = vector == debug_vector ? debug_trap(stepped) : Trap::Kind::Exception,
          .vector = vector,
          .error_code = error_code,
          .fault_address = vector == page_fault_vector ? read_cr2() : 0};
}

bool is_device(std::uint8_t vector) {
  return vector >= first_device_vector && vector <= last_device_vector;
}

}  // namespace

void x86::handle_interrupt(std::uint8_t vector) {
  if (vector == spurious_vector) return;
  if (vector == timer_vector) note_timer_interrupt();
  if (is_device(vector)) note_device_interrupt(vector);
  end_of_interrupt();
}

void set_single_step(bool on) { single_step = on; }

// By the privilege level for input and output rather than the bitmap (Intel SDM Vol. 1 §18.5): the
// one instruction that it opens all ports to has been looked at.
void set_ports(Ports ports) { port_rights = ports == Ports::Open ? Rflags::Iopl : 0; }

void set_breakpoint(BreakSlot slot, std::optional<reprise::UserAddr> address) {
  breakpoints[static_cast<std::size_t>(slot)] = address;
  if (address) (slot == BreakSlot::Target ? write_dr0 : write_dr1)(address->value());
  write_dr7(Dr7::Initial | (breakpoints[0] ? Dr7::G0 : 0) | (breakpoints[1] ? Dr7::G1 : 0));
}

Trap run_user(UserState& state) {
  for (;;) {
    if (stop_reached()) return {.kind = Trap::Kind::Counter};
    std::uint64_t& flags = state[Register::Rflags];
    const bool step = single_step && (flags & Rflags::Tf) == 0;  // else the flag is the program's
    const std::uint64_t lent = (step ? Rflags::Tf : 0) | port_rights;
    flags |= lent;
    if (stands_at_breakpoint(state[Register::Rip])) flags |= Rflags::Rf;
    begin_stint();
    const std::uint64_t reason = enter_user(&state);
    const std::optional<Trap> counted = end_stint(reason);
    flags &= ~lent;
    if (counted) return *counted;
    if (reason == system_call_reason) return {.kind = Trap::Kind::SystemCall};
    const auto vector = static_cast<std::uint8_t>(reason);
    if (vector < exception_vectors) {
      return exception_trap(vector, static_cast<std::uint32_t>(reason >> 32), step);
    }
    handle_interrupt(vector);
    if (is_device(vector)) return {.kind = Trap::Kind::Device, .vector = vector};
    if (vector == timer_vector && take_timer_expiry()) {
      return {.kind = Trap::Kind::Timer, .vector = vector};
    }
  }
}

}  // namespace arch

// Called by traps.asm with a trap that came in ring 0; the result is 0 to go on, else the value
// that enter_user() returns to run_user().
std::uint64_t kernel_trap(arch::x86::TrapFrame* frame) {
  using namespace arch;
  const std::uint64_t vector = frame->vector;
  if (vector >= exception_vectors) {  // only where parts.hpp says they are let in
    handle_interrupt(static_cast<std::uint8_t>(vector));
    return 0;
  }
  if (vector == nmi_vector) return 0;
  // SYSCALL with TF set traps behind the instruction, that is, here (Intel SDM Vol. 3B §17.3.2);
  // the program's TF is in the state by then.
  if (vector == debug_vector && stands_at(*frame, system_call_entry)) {
    write_dr6(Dr6::Initial);
    return 0;
  }
  // The IRET into the program faults before the change of rings when its RIP is not canonical: that
  // is the program's own fault, and its registers are still in the state.
  if (vector >= segment_not_present_vector && vector <= general_protection_vector &&
      stands_at(*frame, iret_to_user)) {
    return vector | frame->error_code << 32;
  }
  if (vector == general_protection_vector && stands_at(*frame, tried_wrmsr)) {
    constexpr std::uint64_t length = 2;
    frame->r8 = 0;
    frame->rip += length;
    return 0;
  }
  panic_with_registers(*frame);
}
