; Every repeated string instruction in every width, as functions without a frame, and the way to run
; one with registers of one's choice.
bits 64
default rel
global string_forms, string_form_count, run_string_form

; FORMS prefix, instruction: a function for each width
%macro FORMS 2
%assign %%first count
%rep 4
%push
%assign %$width count - %%first
form_ %+ count:
%if %$width == 0
  %1 %2 %+ b
%elif %$width == 1
  %1 %2 %+ w
%elif %$width == 2
  %1 %2 %+ d
%else
  %1 %2 %+ q
%endif
  ret
%assign count count + 1
%pop
%endrep
%endmacro

%assign count 0
section .text
FORMS rep, movs     ; 0
FORMS rep, stos     ; 4
FORMS rep, lods     ; 8
FORMS repe, cmps    ; 12
FORMS repne, cmps   ; 16
FORMS repe, scas    ; 20
FORMS repne, scas   ; 24
; With ECX, ESI, EDI as count and addresses; the address-size prefix may stand behind REP, too.
form_28:
  a32 rep movsb
  ret
form_29:
  db 0xf3, 0x67, 0x66, 0xab ; rep a32 stosw
  ret
form_30:
  a32 rep stosd
  ret
form_31:
  a32 rep stosq
  ret
%assign count 32

; void run_string_form(void (*form)(), StringRegisters& registers, std::uint64_t backwards)
; StringRegisters: rdi, rsi, rcx, rax, and the flags that come out. Clobbers what a function may.
run_string_form:
  push rbx
  push r12
  mov rbx, rsi
  mov r12, rdi
  test rdx, rdx
  mov rdi, [rbx]
  mov rsi, [rbx + 8]
  mov rcx, [rbx + 16]
  mov rax, [rbx + 24]
  jz .forwards
  std
.forwards:
  call r12
  mov [rbx], rdi
  mov [rbx + 8], rsi
  mov [rbx + 16], rcx
  mov [rbx + 24], rax
  pushfq
  pop qword [rbx + 32]
  cld
  pop r12
  pop rbx
  ret

section .rodata
string_form_count: dq count
align 8
string_forms:
%assign i 0
%rep count
  dq form_ %+ i
%assign i i + 1
%endrep

section .note.GNU-stack noalloc noexec nowrite progbits
