; What counter_test.cpp has run outside of any processing element: programs of known length, each
; ended by a SYSCALL that nobody serves. On entry RDI points to a page of memory that may be
; written, RSI is 0, where nothing is. An instruction that faults is two bytes long and is left out.
bits 64
default rel
section .text

global counter_programs
counter_programs:

; A long line of instructions of one byte: in here RIP alone tells how many were executed.
  times 65536 nop
  syscall

global counter_loop
counter_loop:
  mov ecx, 10000
.again:
  dec ecx
  jnz .again
  syscall

global counter_page_faults
counter_page_faults:
  mov ecx, 20
.again:
  mov [rsi], al
  dec ecx
  jnz .again
  syscall

global counter_lock
counter_lock:
  mov ecx, 200
.again:
  lock inc dword [rdi]
  dec ecx
  jnz .again
  syscall

global counter_cpuid
counter_cpuid:
  mov ebp, 20
.again:
  xor eax, eax
  cpuid                      ; may fault: the kernel hides a few things (docs/fault-model.md)
  dec ebp
  jnz .again
  syscall

; May count as one instruction or each iteration by itself.
global counter_rep
counter_rep:
  mov ecx, 1000
  rep stosb
  syscall

global counter_programs_end
counter_programs_end:

section .note.GNU-stack noalloc noexec nowrite progbits
