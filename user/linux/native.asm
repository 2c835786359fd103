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
