; The border between ring 0 and ring 3. enter_user() is a C function that returns when something
; stops the program; whatever entry the CPU takes (SYSCALL, or a stub by way of an interrupt gate),
; the program's registers go into the UserState it was entered with, the kernel's stack pointer is
; taken up again, and enter_user() returns. There is one CPU, so two variables hold all of that, and
; GS is the program's alone. Entries from ring 0 take the other branch, to kernel_trap().
;
; Constants in capitals come from the C++ headers (offsets.cpp). C++ side: run_user.cpp.
%include "offsets.inc"

extern kernel_trap
global enter_user, system_call_entry, iret_to_user, trap_stubs, reload_code_segment

; PUSH_ALL a, b, c and, in the opposite order, POP_ALL a, b, c.
%macro PUSH_ALL 1-*
  %rep %0
        push %1
  %rotate 1
  %endrep
%endmacro
%macro POP_ALL 1-*
  %rep %0
  %rotate -1
        pop %1
  %endrep
%endmacro
; STORE base, registers...: into the UserState at base; LOAD is the reverse.
%macro STORE 2-*
  %define state %1
  %rep %0 - 1
  %rotate 1
        mov [state + REG_%+ %1], %1
  %endrep
%endmacro
%macro LOAD 2-*
  %define state %1
  %rep %0 - 1
  %rotate 1
        mov %1, [state + REG_%+ %1]
  %endrep
%endmacro

section .bss
alignb 8
user_registers:       resq 1            ; UserState::general of the program that runs
kernel_stack_pointer: resq 1            ; where enter_user() left its caller's registers
system_call_rsp:      resq 1            ; the program's RSP, for a few instructions

section .text

; std::uint64_t enter_user(UserState* state)
; Runs the program; returns vector | error code << 32, or SYSTEM_CALL_REASON. Interrupts are off on
; entry and on return. CS and SS are constants: ring 3 has no other that it could load.
enter_user:
        PUSH_ALL rbx, rbp, r12, r13, r14, r15
        mov [rel user_registers], rdi
        mov [rel kernel_stack_pointer], rsp
        push qword USER_DATA
        push qword [rdi + REG_rsp]
        push qword [rdi + REG_rflags]
        push qword USER_CODE
        push qword [rdi + REG_rip]
        LOAD rdi, rax, rbx, rcx, rdx, rsi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        mov rdi, [rdi + REG_rdi]
iret_to_user:                           ; may fault for a RIP that is not canonical: kernel_trap()
        iretq

; SYSCALL from ring 3: RCX = RIP behind it, R11 = RFLAGS, still on the program's stack, interrupts
; off by FMASK. NMI, machine check and debug traps come on stacks of their own, so the first
; instructions need none.
align 16
system_call_entry:
        mov [rel system_call_rsp], rsp
        mov rsp, [rel user_registers]
        mov [rsp + REG_rax], rax
        mov rax, rsp
        mov rsp, [rel kernel_stack_pointer]
        STORE rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        mov [rax + REG_rip], rcx
        mov [rax + REG_rflags], r11
        mov rcx, [rel system_call_rsp]
        mov [rax + REG_rsp], rcx
        mov qword [rax + REG_cs], USER_CODE
        mov qword [rax + REG_ss], USER_DATA
        mov eax, SYSTEM_CALL_REASON

; RAX = what enter_user() returns. Takes up the kernel's stack, with flags as C++ wants them:
; an interrupt gate leaves the program's DF and AC set.
return_to_kernel:
        mov rsp, [rel kernel_stack_pointer]
        push qword RFLAGS_FIXED
        popfq
        POP_ALL rbx, rbp, r12, r13, r14, r15
        ret

; All gates end here. Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
align 16
trap_entry:
        test byte [rsp + FRAME_CS - FRAME_VECTOR], 3
        jz .from_kernel
        push rax
        mov rax, [rel user_registers]
        STORE rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        pop qword [rax + REG_rax]
        pop rcx                         ; vector
        pop rdx                         ; error code
        pop qword [rax + REG_rip]
        pop qword [rax + REG_cs]
        pop rbx
        and rbx, ~RFLAGS_RF             ; faults push it set; ring 3 never sees it
        mov [rax + REG_rflags], rbx
        pop qword [rax + REG_rsp]
        pop qword [rax + REG_ss]
        shl rdx, 32
        lea rax, [rcx + rdx]
        jmp return_to_kernel

; std::uint64_t kernel_trap(TrapFrame* frame): 0 to go on, else what enter_user() is to return.
.from_kernel:
        PUSH_ALL rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        cld
        mov rdi, rsp
        call kernel_trap
        test rax, rax
        jnz return_to_kernel
        POP_ALL rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        add rsp, 16                     ; vector, error code
        iretq

; One stub a vector: makes the stack alike for all. The CPU itself pushes an error code for these
; (Intel SDM Vol. 3A §6.13).
%assign with_error_code (1 << 8) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13) | (1 << 14) \
                        | (1 << 17) | (1 << 21) | (1 << 29) | (1 << 30)
%assign vector 0
%rep VECTORS
stub_ %+ vector:
  %if vector >= EXCEPTION_VECTORS || ((with_error_code >> vector) & 1) == 0
        push qword 0
  %endif
        push qword vector
        jmp trap_entry
  %assign vector vector + 1
%endrep

; void reload_code_segment(): CS from the new GDT.
reload_code_segment:
        pop rax
        push qword KERNEL_CODE
        push rax
        retfq

section .rodata
align 8
; extern const std::uint64_t trap_stubs[VECTORS]
trap_stubs:
%assign vector 0
%rep VECTORS
        dq stub_ %+ vector
  %assign vector vector + 1
%endrep
