; std::uint64_t NAME_rounds(void* area, std::uint64_t rounds), for each kind of instructions: works
; with them for so many rounds, in registers and in the area (a page), and returns a digest. Most use
; RAX as digest and R8 as a running number, both different in each round.
bits 64
default rel
global branch_rounds, sse_rounds, avx_rounds, divide_rounds, lock_rounds, flag_rounds, pause_rounds
section .text

%macro NEXT_NUMBER 0                ; xorshift64 in R8, by way of R9
  mov r9, r8
  shl r9, 13
  xor r8, r9
  mov r9, r8
  shr r9, 7
  xor r8, r9
  mov r9, r8
  shl r9, 17
  xor r8, r9
%endmacro

%macro START 0
  mov r8, 0x9e3779b97f4a7c15
  xor eax, eax
%endmacro

; Conditional jumps by chance, a jump table, calls that nest, LOOP, JRCXZ, RET with a number.
branch_rounds:
  push rbx
  push rbp
  mov rbp, rsi
  START
.round:
  NEXT_NUMBER
  mov rcx, r8
  and ecx, 7
  lea rdx, [.table]
  movsxd rbx, dword [rdx + rcx * 4]
  add rbx, rdx
  jmp rbx
.table:
  dd .one - .table, .two - .table, .three - .table, .four - .table
  dd .five - .table, .one - .table, .three - .table, .four - .table
.one:
  mov rcx, r8
  shr rcx, 60
  call .depth
  jmp .next
.two:
  mov ecx, r8d
  and ecx, 31
  jrcxz .next
.spin:
  lea rax, [rax * 2 + rcx]
  loop .spin
  jmp .next
.three:
  test r8d, 0x10000
  jz .even
  rol rax, 3
  js .minus
  inc rax
  jmp .next
.even:
  xor rax, r8
  jp .next
.minus:
  not rax
  jmp .next
.four:
  push r8
  push r9
  call .two_arguments
  jmp .next
.five:
  lea rbx, [.depth]
  mov ecx, 40
  call rbx
.next:
  dec rbp
  jnz .round
  pop rbp
  pop rbx
  ret
.depth:                             ; RCX levels
  add rax, rcx
  test rcx, rcx
  jz .bottom
  dec rcx
  call .depth
  rol rax, 1
.bottom:
  ret
.two_arguments:
  add rax, [rsp + 8]
  xor rax, [rsp + 16]
  cmovs rax, r8
  ret 16

; SSE on packed and scalar numbers, integers, shuffles, MXCSR; x87 beside it.
sse_rounds:
  START
  mov rdx, rsi
  movq xmm0, r8
  pxor xmm1, xmm1
  fninit
  fld1
.round:
  NEXT_NUMBER
  movq xmm2, r8
  pshufd xmm3, xmm2, 0x4e
  paddq xmm0, xmm2
  punpcklqdq xmm2, xmm3
  pmuludq xmm3, xmm0
  pxor xmm1, xmm3
  mov r9, r8
  shr r9, 12
  mov rcx, 0x3ff0000000000000       ; between 1 and 2
  or r9, rcx
  movq xmm4, r9
  sqrtsd xmm5, xmm4
  addsd xmm6, xmm5
  cvtsd2si r10, xmm6
  cvtps2pd xmm7, xmm5
  mulpd xmm7, xmm4
  movapd [rdi + 16], xmm7
  movapd xmm15, [rdi + 16]
  pshufb xmm1, xmm0
  comisd xmm6, xmm5
  adc rax, r10
  mov [rdi], r9
  fadd qword [rdi]
  fxch st0, st1
  fstp st1
  dec rdx
  jnz .round
  stmxcsr [rdi + 8]
  mov ecx, [rdi + 8]
  add rax, rcx
  fstp qword [rdi]
  add rax, [rdi]
  movq rcx, xmm1
  xor rax, rcx
  movq rcx, xmm6
  add rax, rcx
  ret

; AVX: the upper halves matter in each round.
avx_rounds:
  START
  mov rdx, rsi
  vpxor xmm0, xmm0, xmm0
  vpxor xmm1, xmm1, xmm1
.round:
  NEXT_NUMBER
  mov r9, r8
  shr r9, 12
  mov rcx, 0x3ff0000000000000
  or r9, rcx
  vmovq xmm2, r9
  vmovq xmm3, r8
  vinsertf128 ymm2, ymm3, xmm2, 1
  vbroadcastss ymm4, xmm3
  vxorpd ymm0, ymm0, ymm2
  vaddpd ymm5, ymm2, ymm2
  vperm2f128 ymm1, ymm0, ymm5, 0x21
  vmovapd [rdi + 32], ymm1
  vmovapd ymm15, [rdi + 32]
  vunpckhpd ymm14, ymm15, ymm2
  vptest ymm14, ymm4
  adc rax, r9
  dec rdx
  jnz .round
  vextractf128 xmm2, ymm0, 1
  vmovq rcx, xmm2
  xor rax, rcx
  vmovq rcx, xmm0
  add rax, rcx
  vzeroupper
  ret

; DIV and IDIV in each width.
divide_rounds:
  START
  mov r10, rsi
.round:
  NEXT_NUMBER
  mov r11, rax
  mov rcx, r8
  shr rcx, 20
  or rcx, 1
  mov rax, r8
  xor edx, edx
  div rcx
  add r11, rdx
  mov ecx, r8d
  or ecx, 0x10000
  cdq
  idiv ecx
  xor r11, rax
  mov cx, r8w
  or cx, 0x101
  mov ax, r8w
  xor edx, edx
  div cx
  add r11, rdx
  movzx eax, r8b
  mov cl, 7
  div cl
  lea rax, [rax + r11 * 2]
  dec r10
  jnz .round
  ret

; Locked instructions, and XCHG, which is one without saying so.
lock_rounds:
  push rbx
  START
  mov r10, rsi
.round:
  NEXT_NUMBER
  lock inc qword [rdi]
  mov rcx, r8
  lock xadd [rdi + 8], rcx
  jmp .bit                          ; QEMU's flags behind BTS: docs/hardware.md
.bit:
  lock bts dword [rdi + 16], 5
  mov rax, [rdi + 24]
  lea r11, [rax + r8]
  lock cmpxchg [rdi + 24], r11
  lock or [rdi + 32], r8b
  xchg rcx, [rdi + 40]
  mov rax, [rdi + 64]
  mov rdx, [rdi + 72]
  mov rbx, rcx
  mov rcx, r8
  jmp .pair                         ; and behind CMPXCHG16B
.pair:
  lock cmpxchg16b [rdi + 64]
  lock neg qword [rdi + 48]
  dec r10
  jnz .round
  mov rax, [rdi]
  add rax, [rdi + 8]
  xor rax, [rdi + 24]
  add rax, [rdi + 40]
  xor rax, [rdi + 64]
  pop rbx
  ret

; Flags through the stack and through AH: what PUSHF stores must not tell of a step.
flag_rounds:
  START
  mov r10, rsi
.round:
  NEXT_NUMBER
  add r9d, r8d                      ; some flags
  pushfq
  pop rcx
  lea rax, [rax * 3]
  add rax, rcx
  mov rcx, r8
  and ecx, 0x200cd5                 ; CF PF AF ZF SF DF OF ID
  push rcx
  popfq
  pushfq
  pushfq
  pop rdx
  pop rcx
  xor rax, rdx
  pushf
  popf
  lahf
  not ah
  sahf
  pushfq
  add [rsp], rax
  pop rax
  cld
  dec r10
  jnz .round
  push qword 0x202
  popfq
  ret

; PAUSE alone, in a row, before a jump, before a repeated instruction, before PUSHF.
pause_rounds:
  START
  mov r10, rsi
.round:
  pause
  inc rax
  pause
  pause
  lea rax, [rax * 5 + 1]
  test r10, 3
  jnz .next
  mov ecx, 3
  pause
  rep stosb
  sub rdi, 3
  pause
  pushfq
  pop rcx
  add rax, rcx
.next:
  pause
  dec r10
  jnz .round
  ret

section .note.GNU-stack noalloc noexec nowrite progbits
