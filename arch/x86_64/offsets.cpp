// Never linked: compiled to assembly text, from which the build reads one `NAME equ VALUE` for each
// marker. So assembly follows the C++ structs by itself.
#include <cstddef>

#include "arch/user_state.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/registers.hpp"
#include "kernel/base/error.hpp"
#include "kernel/base/memory_map.hpp"

#define EQU(name, value) asm volatile("\n->" #name " %0" : : "i"(value))
#define EQU_REGISTER(name, r) \
  EQU(REG_##name, offsetof(UserState, general) + 8 * static_cast<std::size_t>(Register::r))

namespace arch {

void user_registers() {
  EQU_REGISTER(rax, Rax);
  EQU_REGISTER(rbx, Rbx);
  EQU_REGISTER(rcx, Rcx);
  EQU_REGISTER(rdx, Rdx);
  EQU_REGISTER(rsi, Rsi);
  EQU_REGISTER(rdi, Rdi);
  EQU_REGISTER(rbp, Rbp);
  EQU_REGISTER(rsp, Rsp);
  EQU_REGISTER(r8, R8);
  EQU_REGISTER(r9, R9);
  EQU_REGISTER(r10, R10);
  EQU_REGISTER(r11, R11);
  EQU_REGISTER(r12, R12);
  EQU_REGISTER(r13, R13);
  EQU_REGISTER(r14, R14);
  EQU_REGISTER(r15, R15);
  EQU_REGISTER(rip, Rip);
  EQU_REGISTER(rflags, Rflags);
  EQU_REGISTER(cs, Cs);
  EQU_REGISTER(ss, Ss);
}

void machine() {
  EQU(USER_CODE, x86::user_code_selector);
  EQU(USER_DATA, x86::user_data_selector);
  EQU(KERNEL_CODE, x86::kernel_code_selector);
  EQU(EXCEPTION_VECTORS, x86::exception_vectors);
  EQU(VECTORS, x86::vectors);
  EQU(SYSTEM_CALL_REASON, x86::system_call_reason);
  EQU(FRAME_VECTOR, offsetof(x86::TrapFrame, vector));
  EQU(FRAME_CS, offsetof(x86::TrapFrame, cs));
  EQU(RFLAGS_FIXED, x86::Rflags::Fixed::mask);
  EQU(RFLAGS_RF, x86::Rflags::Rf::mask);
}

void boot() {
  EQU(KERNEL_BASE, reprise::kernel_base);
  EQU(DIRECT_MAP_SLOT, (reprise::direct_map_base >> 39) & 511);
  EQU(BOOT_PDS, x86::boot_page_directories);
  EQU(KERNEL_STACK_BYTES, x86::kernel_stack_bytes);
  EQU(EXIT_MACHINE_UNFIT, static_cast<unsigned>(reprise::ExitCode::MachineUnfit));
  EQU(DEBUG_EXIT_PORT, x86::debug_exit_port);
}

}  // namespace arch
