; The program's vector registers as they stand in the CPU, into memory.
bits 64
default rel
global store_sse, store_upper_halves
section .text

; void store_sse(void* image)                 image: 512 bytes, a multiple of 16
store_sse:
  fxsave64 [rdi]
  ret

; void store_upper_halves(void* to)           256 bytes; needs AVX
store_upper_halves:
%assign i 0
%rep 16
  vextractf128 [rdi + i * 16], ymm %+ i, 1
%assign i i + 1
%endrep
  ret

section .note.GNU-stack noalloc noexec nowrite progbits
