// Constants that assembly, descriptor tables and page tables must agree on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arch::x86 {

// Selectors, in the order of the GDT: SYSCALL takes SS = CS + 8.
inline constexpr std::uint16_t kernel_code_selector = 0x08;
inline constexpr std::uint16_t kernel_data_selector = 0x10;
inline constexpr std::uint16_t user_data_selector = 0x18 | 3;
inline constexpr std::uint16_t user_code_selector = 0x20 | 3;
inline constexpr std::uint16_t task_selector = 0x28;

inline constexpr std::uint16_t exception_vectors = 32;
inline constexpr std::uint16_t vectors = 256;
inline constexpr std::uint16_t system_call_reason = vectors;  // beside the vectors, see traps.asm
inline constexpr std::uint16_t guest_exit_reason = vectors + 1;  // of a guest, but an interrupt

inline constexpr std::uint8_t debug_vector = 1, nmi_vector = 2, breakpoint_vector = 3,
                              double_fault_vector = 8, segment_not_present_vector = 11,
                              general_protection_vector = 13, page_fault_vector = 14,
                              machine_check_vector = 18;

inline constexpr std::uint16_t trap_stub_bytes = 16;  // a stub for each vector, see traps.asm

inline constexpr std::uint16_t debug_exit_port = 0xf4;  // QEMU's isa-debug-exit

// What a trap leaves on the stack: pushed by traps.asm, from `vector` down by the stub and the CPU
// (Intel SDM Vol. 3A §6.14.2).
struct TrapFrame {
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rax, rbx, rcx, rdx, rsi, rdi, rbp;
  std::uint64_t vector, error_code, rip, cs, rflags, rsp, ss;
};
static_assert(sizeof(TrapFrame) % 16 == 0, "the stack stays aligned for the call into C++");

inline constexpr std::size_t kernel_stack_bytes = 32 << 10;

inline constexpr std::size_t boot_gigabytes = 16;  // of physical memory that boot tables reach

}  // namespace arch::x86
