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
        push rbx
        push rbp
        push r12
        push r13
        push r14
        push r15
        mov [rel user_registers], rdi
        mov [rel kernel_stack_pointer], rsp
        push qword USER_DATA
        push qword [rdi + REG_RSP]
        push qword [rdi + REG_RFLAGS]
        push qword USER_CODE
        push qword [rdi + REG_RIP]
        mov rax, [rdi + REG_RAX]
        mov rbx, [rdi + REG_RBX]
        mov rcx, [rdi + REG_RCX]
        mov rdx, [rdi + REG_RDX]
        mov rsi, [rdi + REG_RSI]
        mov rbp, [rdi + REG_RBP]
        mov r8, [rdi + REG_R8]
        mov r9, [rdi + REG_R9]
        mov r10, [rdi + REG_R10]
        mov r11, [rdi + REG_R11]
        mov r12, [rdi + REG_R12]
        mov r13, [rdi + REG_R13]
        mov r14, [rdi + REG_R14]
        mov r15, [rdi + REG_R15]
        mov rdi, [rdi + REG_RDI]
iret_to_user:                           ; may fault for a RIP that is not canonical: kernel_trap()
        iretq

; Stores all general registers but RAX and RSP at [rax].
%macro SAVE_REGISTERS 0
        mov [rax + REG_RBX], rbx
        mov [rax + REG_RCX], rcx
        mov [rax + REG_RDX], rdx
        mov [rax + REG_RSI], rsi
        mov [rax + REG_RDI], rdi
        mov [rax + REG_RBP], rbp
        mov [rax + REG_R8], r8
        mov [rax + REG_R9], r9
        mov [rax + REG_R10], r10
        mov [rax + REG_R11], r11
        mov [rax + REG_R12], r12
        mov [rax + REG_R13], r13
        mov [rax + REG_R14], r14
        mov [rax + REG_R15], r15
%endmacro

; SYSCALL from ring 3: RCX = RIP behind it, R11 = RFLAGS, still on the program's stack, interrupts
; off by FMASK. NMI, machine check and debug traps come on stacks of their own, so the first
; instructions need none.
align 16
system_call_entry:
        mov [rel system_call_rsp], rsp
        mov rsp, [rel user_registers]
        mov [rsp + REG_RAX], rax
        mov rax, rsp
        mov rsp, [rel kernel_stack_pointer]
        SAVE_REGISTERS
        mov [rax + REG_RIP], rcx
        mov [rax + REG_RFLAGS], r11
        mov rcx, [rel system_call_rsp]
        mov [rax + REG_RSP], rcx
        mov qword [rax + REG_CS], USER_CODE
        mov qword [rax + REG_SS], USER_DATA
        mov eax, SYSTEM_CALL_REASON

; RAX = what enter_user() returns. Takes up the kernel's stack, with flags as C++ wants them:
; an interrupt gate leaves the program's DF and AC set.
return_to_kernel:
        mov rsp, [rel kernel_stack_pointer]
        push qword RFLAGS_FIXED
        popfq
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        ret

; All gates end here. Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
align 16
trap_entry:
        test byte [rsp + FRAME_CS - FRAME_VECTOR], 3
        jz .from_kernel
        push rax
        mov rax, [rel user_registers]
        SAVE_REGISTERS
        pop qword [rax + REG_RAX]
        pop rcx                         ; vector
        pop rdx                         ; error code
        pop qword [rax + REG_RIP]
        pop qword [rax + REG_CS]
        pop rbx
        and rbx, ~RFLAGS_RF             ; faults push it set; ring 3 never sees it
        mov [rax + REG_RFLAGS], rbx
        pop qword [rax + REG_RSP]
        pop qword [rax + REG_SS]
        shl rdx, 32
        lea rax, [rcx + rdx]
        jmp return_to_kernel

; std::uint64_t kernel_trap(TrapFrame* frame): 0 to go on, else what enter_user() is to return.
.from_kernel:
        push rax
        push rbx
        push rcx
        push rdx
        push rsi
        push rdi
        push rbp
        push r8
        push r9
        push r10
        push r11
        push r12
        push r13
        push r14
        push r15
        cld
        mov rdi, rsp
        call kernel_trap
        test rax, rax
        jnz return_to_kernel
        pop r15
        pop r14
        pop r13
        pop r12
        pop r11
        pop r10
        pop r9
        pop r8
        pop rbp
        pop rdi
        pop rsi
        pop rdx
        pop rcx
        pop rbx
        pop rax
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
