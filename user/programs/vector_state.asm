; Functions that put values into all registers of a kind, make system calls, and store what the
; registers then hold. If the state of another run, process or time came back, the values differ.
; Each: void f(const void* in, void* out, std::uint64_t calls). Clobbers the registers of its kind,
; which the System V ABI lets a function do.
bits 64
default rel
section .text

; RBX calls of REPRISE_YIELD. Changes RAX, RCX, R11.
%macro CALLS 0
%%again:
  test rbx, rbx
  jz %%done
  mov eax, 8
  syscall
  dec rbx
  jmp %%again
%%done:
%endmacro

%macro BEGIN 1
global %1
%1:
  push rbx
  mov rbx, rdx
%endmacro

; XMM0 to XMM15: 16 * 16 bytes
BEGIN hold_sse
%assign i 0
%rep 16
  movdqu xmm %+ i, [rdi + i * 16]
%assign i i + 1
%endrep
  CALLS
%assign i 0
%rep 16
  movdqu [rsi + i * 16], xmm %+ i
%assign i i + 1
%endrep
  pop rbx
  ret

; YMM0 to YMM15: 16 * 32 bytes; needs AVX
BEGIN hold_avx
%assign i 0
%rep 16
  vmovdqu ymm %+ i, [rdi + i * 32]
%assign i i + 1
%endrep
  CALLS
%assign i 0
%rep 16
  vmovdqu [rsi + i * 32], ymm %+ i
%assign i i + 1
%endrep
  vzeroupper
  pop rbx
  ret

; The upper halves of YMM0 to YMM15 alone, the lower ones zero: in: 16 * 16 bytes, out: 16 * 32;
; needs AVX
BEGIN hold_upper_halves
  vzeroall
%assign i 0
%rep 16
  vinsertf128 ymm %+ i, ymm %+ i, [rdi + i * 16], 1
%assign i i + 1
%endrep
  CALLS
%assign i 0
%rep 16
  vmovdqu [rsi + i * 32], ymm %+ i
%assign i i + 1
%endrep
  vzeroupper
  pop rbx
  ret

; Everything in its initial state but MXCSR: nothing in; out: 16 * 32 bytes of YMM0 to YMM15, then
; the x87 environment, 28 bytes; needs AVX
BEGIN hold_initial
  fninit
  vzeroall
  CALLS
%assign i 0
%rep 16
  vmovdqu [rsi + i * 32], ymm %+ i
%assign i i + 1
%endrep
  fnstenv [rsi + 512]
  fninit
  vzeroupper
  pop rbx
  ret

; x87 back in its initial state, AVX in use, and the other way round, a call in between: RBX rounds.
; in: 32 bytes for YMM7; out: 32 bytes of it; needs AVX
BEGIN alternate
  fninit
  vzeroall
.round:
  vmovdqu ymm7, [rdi]
  mov eax, 8
  syscall
  vmovdqu [rsi], ymm7
  vzeroall
  fld1
  mov eax, 8
  syscall
  fstp st0
  fninit
  dec rbx
  jnz .round
  pop rbx
  ret

; ZMM0 to ZMM31: 32 * 64 bytes, and K1 to K7: 7 * 2 bytes; needs AVX-512F
BEGIN hold_avx512
%assign i 0
%rep 32
  vmovdqu64 zmm %+ i, [rdi + i * 64]
%assign i i + 1
%endrep
%assign i 1
%rep 7
  kmovw k %+ i, [rdi + 2048 + (i - 1) * 2]
%assign i i + 1
%endrep
  CALLS
%assign i 0
%rep 32
  vmovdqu64 [rsi + i * 64], zmm %+ i
%assign i i + 1
%endrep
%assign i 1
%rep 7
  kmovw [rsi + 2048 + (i - 1) * 2], k %+ i
%assign i i + 1
%endrep
  vzeroupper
  pop rbx
  ret

; The x87 stack, eight doubles: 8 * 8 bytes, and its rounding control. Leaves the x87 as at the
; start of a program.
BEGIN hold_x87
  fninit
  sub rsp, 16
  mov word [rsp], 0x0f7f     ; round towards zero, double extended, no exceptions
  fldcw [rsp]
%assign i 7
%rep 8
  fld qword [rdi + i * 8]
%assign i i - 1
%endrep
  CALLS
%assign i 0
%rep 8
  fstp qword [rsi + i * 8]
%assign i i + 1
%endrep
  fnstcw [rsi + 64]
  fninit
  add rsp, 16
  pop rbx
  ret

; MXCSR: 4 bytes
BEGIN hold_mxcsr
  sub rsp, 16
  stmxcsr [rsp]
  ldmxcsr [rdi]
  CALLS
  stmxcsr [rsi]
  ldmxcsr [rsp]
  add rsp, 16
  pop rbx
  ret

section .note.GNU-stack noalloc noexec nowrite progbits
