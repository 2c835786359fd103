; The three ways into the personality, and the one way out.
;
;   personality_start  The kernel enters here once. Prepares, then starts the program.
;   syscall_entry      Serves a SYSCALL of the program. The kernel redirects it to this label within
;                      the same processing element.
;   exception_entry    Serves an exception of the program, or of a copy from or to its memory.
;   resume             Loads all registers from a struct reprise_frame at RSP and continues there.
;
; The program's red zone (128 bytes below its RSP) is never written. Each way in leaves the
; program's stack at once, and `resume` returns by a jump through memory. A program has one thread,
; so values that must outlive the switch of stacks lie in fixed places.
; frame.cpp checks the offsets in frame_offsets.inc against the compiled struct reprise_frame.

bits 64
default rel

%include "frame_offsets.inc"

HANDLER_BYTES equ 64 * 1024

extern prepare_program, serve_call, handle_exception
extern user_access_begin, user_access_end, user_access_fault
global personality_start, syscall_entry, exception_entry, resume
global exception_frame, call_stack, exception_stack

extern code_pages, constant_pages, data_pages, zero_pages

section .image_header progbits alloc exec nowrite align=8 ; struct reprise_image
  db "REPRISE", 0
  dq personality_start
  dq code_pages, constant_pages, data_pages, zero_pages

section .bss
alignb 4096
call_stack:       resb HANDLER_BYTES ; start.cpp makes its lowest page a guard
call_stack_top:
exception_stack:  resb HANDLER_BYTES
exception_stack_top:
alignb 64
exception_frame:  resb FRAME_BYTES ; where the kernel leaves the registers
program_rsp:      resq 1
program_rip:      resq 1

section .text

; void personality_start(struct reprise_start*): entered without a stack; never returns.
personality_start:
  lea rsp, [call_stack_top]
  sub rsp, FRAME_BYTES + 8   ; keeps RSP + 8 a multiple of 16 behind the call
  mov rsi, rsp
  call prepare_program       ; (start, frame to fill)
  jmp resume

; On entry: RCX = return address, R11 = RFLAGS, all else as at the program's SYSCALL.
; On exit all registers but RAX, RCX and R11 have their old values.
syscall_entry:
  mov [program_rsp], rsp
  lea rsp, [call_stack_top]
  sub rsp, 8
  push 0                     ; fault_address
  push 0                     ; error_code
  push 0                     ; vector
  push r11                   ; rflags
  push rcx                   ; rip
  push r15
  push r14
  push r13
  push r12
  push r11
  push r10
  push r9
  push r8
  push qword [program_rsp]
  push rbp
  push rdi
  push rsi
  push rdx
  push rcx
  push rbx
  push rax
  cld
  mov rdi, rsp
  call serve_call            ; (frame)
  ; falls into resume

; Entered with RSP = struct reprise_frame*. Loads all registers and continues at the frame's RIP.
resume:
  pop rax
  pop rbx
  pop rcx
  pop rdx
  pop rsi
  pop rdi
  pop rbp
  pop qword [program_rsp]
  pop r8
  pop r9
  pop r10
  pop r11
  pop r12
  pop r13
  pop r14
  pop r15
  pop qword [program_rip]
  popfq
  mov rsp, [program_rsp]
  jmp [program_rip]

; void exception_entry(struct reprise_frame*): on entry the handler is disarmed, RSP is undefined.
; A fault of a copy (user_memory.asm) may interrupt handle_exception, so it must not use the stack.
exception_entry:
  cld
  mov rbx, rdi
  mov rax, [rdi + FRAME_RIP]
  lea rcx, [user_access_begin]
  cmp rax, rcx
  jb .other
  lea rcx, [user_access_end]
  cmp rax, rcx
  jae .other
  lea rcx, [user_access_fault]
  mov [rdi + FRAME_RIP], rcx
  mov rsp, rdi
  jmp .arm
.other:
  lea rsp, [exception_stack_top]
  sub rsp, FRAME_BYTES + 8
  mov rsi, rbx
  mov rdi, rsp
  mov ecx, FRAME_BYTES / 8
  rep movsq
  call .arm_handler
  mov rdi, rsp
  call handle_exception      ; (frame): may change it
  jmp resume
.arm:
  mov eax, CALL_SET_HANDLER
  mov edi, HANDLER_EXCEPTION
  lea rsi, [exception_entry]
  lea rdx, [exception_frame]
  syscall
  jmp resume
.arm_handler:
  mov eax, CALL_SET_HANDLER
  mov edi, HANDLER_EXCEPTION
  lea rsi, [exception_entry]
  lea rdx, [exception_frame]
  syscall
  ret
