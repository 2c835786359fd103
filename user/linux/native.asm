; std::int64_t native_call(number, a, b, c, d, e): a native system call of Reprise. It works because
; this SYSCALL lies inside the personality's own image. Clobbers what a C++ function may clobber.
bits 64
default rel
global native_call
section .text
native_call:
  mov rax, rdi
  mov rdi, rsi
  mov rsi, rdx
  mov rdx, rcx
  mov r10, r8
  mov r8, r9
  syscall
  ret

; std::int64_t native_message_call(std::uint64_t number, std::uint64_t registers[6])
; RDI, RSI, RDX, R10, R8, R9 in this order: loaded for the call, and stored as it left them.
global native_message_call
native_message_call:
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
