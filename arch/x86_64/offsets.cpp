// Never linked: compiled to assembly text, from which the build reads one `NAME equ VALUE` for each
// marker. So assembly follows the C++ structs by itself.
#include <cstddef>

#include "arch/user_state.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/registers.hpp"
#include "kernel/base/exit_code.hpp"
#include "kernel/base/memory_map.hpp"

#define EQU(name, value) asm volatile("\n->" #name " %0" : : "i"(value))
#define EQU_REGISTER(name, r) \
  EQU(REG_##name, offsetof(UserState, general) + 8 * static_cast<std::size_t>(Register::r))

namespace arch {

// traps.asm takes the first sixteen words as a stack of registers, RAX on top.
static_assert(static_cast<int>(Register::Rbp) == 6 && static_cast<int>(Register::R8) == 8);

static_assert(offsetof(x86::PerCpu, self) == 0, "this_cpu() reads it there");

void offsets() {
  EQU_REGISTER(rax, Rax);
  EQU_REGISTER(rsp, Rsp);
  EQU_REGISTER(rip, Rip);
  EQU_REGISTER(rflags, Rflags);
  EQU_REGISTER(cs, Cs);
  EQU_REGISTER(ss, Ss);

  EQU(CPU_USER_REGISTERS, offsetof(x86::PerCpu, user_registers));
  EQU(CPU_KERNEL_STACK_POINTER, offsetof(x86::PerCpu, kernel_stack_pointer));
  EQU(CPU_OTHER_STACK_POINTER, offsetof(x86::PerCpu, other_stack_pointer));

  EQU(SWITCH_GENERAL, offsetof(x86::GuestSwitch, general));
  EQU(SWITCH_GUEST_BLOCK, offsetof(x86::GuestSwitch, guest_block));
  EQU(SWITCH_HOST_BLOCK, offsetof(x86::GuestSwitch, host_block));
  EQU(SWITCH_DR7, offsetof(x86::GuestSwitch, dr7));
  EQU(SWITCH_ENTRY_STAMP, offsetof(x86::GuestSwitch, entry_stamp));
  EQU(SWITCH_EXIT_STAMP, offsetof(x86::GuestSwitch, exit_stamp));
  EQU(DR7_INITIAL, x86::Dr7::Initial);

  EQU(USER_CODE, x86::user_code_selector);
  EQU(USER_DATA, x86::user_data_selector);
  EQU(KERNEL_CODE, x86::kernel_code_selector);
  EQU(EXCEPTION_VECTORS, x86::exception_vectors);
  EQU(VECTORS, x86::vectors);
  EQU(TRAP_STUB_BYTES, x86::trap_stub_bytes);
  EQU(SYSTEM_CALL_REASON, x86::system_call_reason);
  EQU(FRAME_VECTOR, offsetof(x86::TrapFrame, vector));
  EQU(FRAME_CS, offsetof(x86::TrapFrame, cs));
  EQU(RFLAGS_FIXED, x86::Rflags::Fixed);
  EQU(RFLAGS_SEEN, x86::Rflags::Seen);

  EQU(KERNEL_BASE, reprise::kernel_base);
  EQU(DIRECT_MAP_SLOT, (reprise::direct_map_base >> 39) & 511);
  EQU(BOOT_GIGABYTES, x86::boot_gigabytes);
  EQU(KERNEL_STACK_BYTES, x86::kernel_stack_bytes);
  EQU(EXIT_MACHINE_UNFIT, static_cast<unsigned>(reprise::ExitCode::MachineUnfit));
  EQU(DEBUG_EXIT_PORT, x86::debug_exit_port);
}

}  // namespace arch
