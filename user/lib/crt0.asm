; The first instruction of a native program, and the ELF note that marks the file as native.
bits 64
default rel

; Entered with RDI = const struct reprise_start*, RSP = the System V initial stack: argc, argv...,
; 0, envp..., 0, auxv. RSP is a multiple of 16, as the System V ABI asks for at a call.
global _start
extern start_program
section .text
_start:
  xor ebp, ebp               ; the outermost frame
  mov rsi, rsp
  call start_program         ; never returns
  ud2

; kernel/abi/reprise.h: REPRISE_NOTE_NAME, _NOTE_TYPE, _ABI_VERSION
section .note.reprise note alloc noexec nowrite align=4
  dd 8, 4, 1
  db "Reprise", 0
  dd 4

section .note.GNU-stack noalloc noexec nowrite progbits
