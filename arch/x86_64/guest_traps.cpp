#include "arch/x86_64/guest_traps.hpp"

#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/guest.hpp"
#include "arch/x86_64/guest_events.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupts.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/machine_check.hpp"
#include "kernel/base/assert.hpp"

namespace arch {

using namespace x86;

namespace {

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

// A repeated instruction is being stepped over, and its count is not the guest's
// (arch/stepping.hpp). No handler of the guest's may see that, so the exception waits until the
// step is over.
Trap exception_within_step(Vmcb& block) {
  return {.kind = Trap::Kind::Break, .vector = hold_exception(block)};
}

}  // namespace

std::uint8_t x86::take_interrupt(PerCpu& cpu) {
  cpu.guest.taken = 0;
  cpu.guest.takes_interrupt = true;
  sti_nop();
  cli();
  cpu.guest.takes_interrupt = false;
  return cpu.guest.taken;
}

std::uint64_t x86::exit_reason(PerCpu& cpu, const Vmcb& block) {
  if (block.exit_code == exit_interrupt) return take_interrupt(cpu);
  return block.exit_code == exit_nmi ? nmi_vector : guest_exit_reason;
}

std::optional<Trap> x86::guest_trap(const PerCpu& cpu, Vmcb& block, std::uint64_t reason,
                                    const GuestBreakpoints& breakpoints,
                                    std::uint64_t debug_causes) {
  switch (block.exit_code) {
    case exit_interrupt: return interrupt_trap(static_cast<std::uint8_t>(reason));
    case exit_nmi: return Trap{.kind = Trap::Kind::NonMaskable, .vector = nmi_vector};
    case exit_exceptions + debug_vector: return debug_trap(cpu, block, breakpoints, debug_causes);
    case exit_exceptions + machine_check_vector: return machine_check();
    case exit_nested_fault: return nested_fault(block);
    default:
      return is_exception(block.exit_code) ? exception_within_step(block) : guest_exit(block);
  }
}

Trap x86::stop_in_window(UserState& state) {
  Vmcb& block = state.virtual_cpu->block();
  put_trap_words(state);
  block.exit_code = static_cast<std::uint64_t>(GuestExit::Window);
  block.exit_info_1 = 0;
  take_trap_words(state);
  return guest_exit(block);
}

}  // namespace arch
