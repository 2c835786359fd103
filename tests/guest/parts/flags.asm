; PUSHF and POPF in both rings, and IRET to ring 3 and back with many values of RFLAGS.

%macro TRY_FLAGS 1                      ; the value that POPF takes; PUSHF shows what became of it
        mov eax, %1
        push rax
        popfq
        pushfq
        pop rdi
        push 0x002
        popfq
        call mix
%endmacro

PART flags
        TRY_FLAGS 0
        TRY_FLAGS 0xffffffff & ~(TRAP_FLAG | INTERRUPT_FLAG | RESUME_FLAG | 1 << 17)
        TRY_FLAGS 0x0cd5
        TRY_FLAGS 1 << 21
        TRY_FLAGS 3 << 12
        TRY_FLAGS RESUME_FLAG
        mov edi, .user
        call run_user
        EXPECT rax, 77
        ret
.user:  TRY_FLAGS 0
        TRY_FLAGS 0xffffffff & ~(TRAP_FLAG | 1 << 17)
        TRY_FLAGS 0x0cd5
        TRY_FLAGS INTERRUPT_FLAG
        stc
        lahf
        movzx edi, ah
        call mix
        mov eax, 77
        LEAVE_USER

; IRET within ring 0, to a stack of its own.
PART iret
        mov ebx, 50
.again: mov rbp, rsp
        push KERNEL_DATA
        push STACK_END - 0x8000
        push 0x002 + CARRY_FLAG
        push KERNEL_CODE
        push .there
        iretq
.there: setc dil
        movzx edi, dil
        call mix
        mov rdi, rsp
        mov rsp, rbp
        EXPECT rdi, STACK_END - 0x8000
        dec ebx
        jnz .again
        ret
