; std::int64_t reprise_system_call(std::uint64_t number, std::uint64_t a, b, c, d, e)
; Moves the C arguments (RDI, RSI, RDX, RCX, R8, R9) to where the native ABI wants them (RAX; RDI,
; RSI, RDX, R10, R8). Clobbers RCX and R11 as the SYSCALL instruction does.
bits 64
default rel
global reprise_system_call
section .text
reprise_system_call:
  mov rax, rdi
  mov rdi, rsi
  mov rsi, rdx
  mov rdx, rcx
  mov r10, r8
  mov r8, r9
  syscall
  ret

section .note.GNU-stack noalloc noexec nowrite progbits
