; The border between ring 0 and ring 3. enter_user() is a C function that returns when something
; stops the program; whatever entry the CPU takes (SYSCALL, or a stub by way of an interrupt gate),
; the program's registers go into the UserState it was entered with, the kernel's stack pointer is
; taken up again, and enter_user() returns. The PerCpu behind GS holds all of that; per_cpu.hpp says
; where GS is the kernel's and where the program's. Entries from ring 0 go to kernel_trap().
;
; The first words of UserState::general are rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8 to r15: with
; RSP pointing there they are popped and pushed like a stack's. Nothing else uses the stack then:
; interrupts are off, and what comes nevertheless (NMI, machine check) has a stack of its own.
;
; Constants in capitals come from the C++ headers (offsets.cpp). C++ side: run_user.cpp.
%include "offsets.inc"
%include "push_all.inc"

extern kernel_trap
global enter_user, system_call_entry, iret_to_user, trap_stubs, reload_code_segment, \
       try_write_msr, tried_wrmsr

%define UPPER r15, r14, r13, r12, r11, r10, r9, r8
%define LOWER rbp, rdi, rsi, rdx, rcx, rbx, rax

%define USER_REGISTERS       gs:CPU_USER_REGISTERS        ; UserState::general of what runs
%define KERNEL_STACK_POINTER gs:CPU_KERNEL_STACK_POINTER  ; where enter_user() left registers
%define OTHER_STACK_POINTER  gs:CPU_OTHER_STACK_POINTER   ; the program's, or that of a frame

section .text

; std::uint64_t enter_user(UserState* state)
; Runs the program; returns vector | error code << 32, or SYSTEM_CALL_REASON. Interrupts are off on
; entry and on return. CS and SS are constants: ring 3 has no other that it could load.
enter_user:
        PUSH_ALL rbx, rbp, r12, r13, r14, r15
        add rdi, REG_rax
        mov [USER_REGISTERS], rdi
        mov [KERNEL_STACK_POINTER], rsp
        push qword USER_DATA
        push qword [rdi + REG_rsp - REG_rax]
        push qword [rdi + REG_rflags - REG_rax]
        push qword USER_CODE
        push qword [rdi + REG_rip - REG_rax]
        mov [OTHER_STACK_POINTER], rsp
        mov rsp, rdi
        POP_ALL LOWER
        add rsp, 8
        POP_ALL UPPER
        mov rsp, [OTHER_STACK_POINTER]
        swapgs
iret_to_user:                           ; may fault for a RIP that is not canonical: kernel_trap()
        iretq

; SYSCALL from ring 3: RCX = RIP behind it, R11 = RFLAGS, still on the program's stack and GS base,
; interrupts off by FMASK. NMI, machine check and debug traps come on stacks of their own, so the
; first instructions need none. Makes the frame that an interrupt would have made.
align 16
system_call_entry:
        swapgs
        mov [OTHER_STACK_POINTER], rsp
        mov rsp, [KERNEL_STACK_POINTER]
        push qword USER_DATA
        push qword [OTHER_STACK_POINTER]
        push r11
        push qword USER_CODE
        push rcx
        push qword 0
        push qword SYSTEM_CALL_REASON

; Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
trap_from_user:
        mov [OTHER_STACK_POINTER], rsp
        mov rsp, [USER_REGISTERS]
        lea rsp, [rsp + 16 * 8]
        PUSH_ALL UPPER
        lea rsp, [rsp - 8]
        PUSH_ALL LOWER
        mov rdi, rsp
        mov rsp, [OTHER_STACK_POINTER]
        pop rax                         ; vector
        pop rdx                         ; error code
        shl rdx, 32
        or rax, rdx
        pop qword [rdi + REG_rip - REG_rax]
        pop qword [rdi + REG_cs - REG_rax]
        pop rbx
        and rbx, RFLAGS_SEEN            ; QEMU 7.2 also leaves rubbish in bits 24 to 31 (BT)
        mov [rdi + REG_rflags - REG_rax], rbx
        pop qword [rdi + REG_rsp - REG_rax]
        pop qword [rdi + REG_ss - REG_rax]

; RAX = what enter_user() returns. Takes up the kernel's stack, with flags as C++ wants them:
; an interrupt gate leaves the program's DF and AC set. GS is the kernel's.
return_to_kernel:
        mov rsp, [KERNEL_STACK_POINTER]
        push qword RFLAGS_FIXED
        popfq
        POP_ALL rbx, rbp, r12, r13, r14, r15
        ret

; All gates end here, with the same stack as above.
align 16
trap_entry:
        test byte [rsp + FRAME_CS - FRAME_VECTOR], 3
        jz trap_from_kernel
        swapgs
        jmp trap_from_user

; std::uint64_t kernel_trap(TrapFrame* frame): 0 to go on, else what enter_user() is to return. GS
; may still be the program's, see per_cpu.hpp.
trap_from_kernel:
        PUSH_ALL LOWER
        PUSH_ALL UPPER
        cld
        mov rdi, rsp
        call kernel_trap
        test rax, rax
        jnz return_to_kernel
        POP_ALL UPPER
        POP_ALL LOWER
        add rsp, 16                     ; vector, error code
        iretq

; One stub a vector: makes the stack alike for all. The CPU itself pushes an error code for these
; (Intel SDM Vol. 3A §6.13).
%assign with_error_code (1 << 8) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13) | (1 << 14) \
                        | (1 << 17) | (1 << 21) | (1 << 29) | (1 << 30)
align TRAP_STUB_BYTES
trap_stubs:
%assign vector 0
%rep VECTORS
  %if vector >= EXCEPTION_VECTORS || ((with_error_code >> vector) & 1) == 0
        push qword 0
  %else
        nop                             ; as many instructions for each: see icount.cpp
  %endif
        push qword vector
        jmp near trap_entry
  %assign vector vector + 1
        times trap_stubs + vector * TRAP_STUB_BYTES - $ int3
%endrep

; bool try_write_msr(Msr msr, std::uint64_t value): false when it raises #GP; then kernel_trap()
; clears R8 and goes on behind.
try_write_msr:
        mov ecx, edi
        mov eax, esi
        mov rdx, rsi
        shr rdx, 32
        mov r8d, 1
tried_wrmsr:
        wrmsr
        mov eax, r8d
        ret

; void reload_code_segment(): CS from the new GDT.
reload_code_segment:
        pop rax
        push qword KERNEL_CODE
        push rax
        retfq
