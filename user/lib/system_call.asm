; std::int64_t reprise_system_call(std::uint64_t number, std::uint64_t a, b, c, d, e)
; Moves the C arguments (RDI, RSI, RDX, RCX, R8, R9) to the native ABI's registers (RAX; RDI, RSI,
; RDX, R10, R8). Clobbers RCX and R11 as the SYSCALL instruction does. The personality links this
; file, too. A SYSCALL inside its own image is a native call; any other belongs to the program.
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

; std::int64_t reprise_message_call(std::uint64_t number, Registers* registers)
; Loads RDI, RSI, RDX, R10, R8, R9 from the array for the call. Afterwards stores RSI, RDX, R10 and
; R8, which carry the answer.
global reprise_message_call
reprise_message_call:
  push rbx
  mov rax, rdi
  mov rbx, rsi
  mov rdi, [rbx]
  mov rsi, [rbx + 8]
  mov rdx, [rbx + 16]
  mov r10, [rbx + 24]
  mov r8, [rbx + 32]
  mov r9, [rbx + 40]
  syscall
  mov [rbx + 8], rsi
  mov [rbx + 16], rdx
  mov [rbx + 24], r10
  mov [rbx + 32], r8
  pop rbx
  ret

section .note.GNU-stack noalloc noexec nowrite progbits
