; SYSCALL and SYSRET, and the MSRs that say where they lead.

STAR    equ 0xc0000081
LSTAR   equ 0xc0000082
SFMASK  equ 0xc0000084

; void write_msr(ECX = which, RAX = value). Changes RDX.
write_msr:
        mov rdx, rax
        shr rdx, 32
        wrmsr
        ret

; RAX = read_msr(ECX = which). Changes RDX.
read_msr:
        rdmsr
        shl rdx, 32
        mov eax, eax
        or rax, rdx
        ret

PART syscalls
        mov ecx, STAR
        mov rax, USER_CODE_32 << 48 | KERNEL_CODE << 32
        call write_msr
        mov ecx, LSTAR
        mov eax, syscall_entry
        call write_msr
        mov ecx, SFMASK
        mov eax, TRAP_FLAG | INTERRUPT_FLAG | DIRECTION_FLAG
        call write_msr
        mov edi, .user
        call run_user
        mov edi, eax
        call mix
        EXPECT rax, 300 * 301 / 2
        ret
.user:  xor eax, eax
        mov ebx, 300
.again: cmp ebx, 150
        jb .forward
        std
.forward:
        stc
        syscall
        pushfq
        pop rdi
        cld
        call mix
        mov edi, ecx                    ; RIP behind SYSCALL
        call mix
        mov edi, r11d
        call mix
        dec ebx
        jnz .again
        LEAVE_USER

; RAX += RBX, on the trap stack.
syscall_entry:
        mov [user_stack], rsp
        mov rsp, TRAP_STACK_END
        push rcx
        push r11
        pushfq
        pop rdi
        call mix
        mov edi, ecx
        call mix
        add rax, rbx
        pop r11
        pop rcx
        mov rsp, [user_stack]
        o64 sysret

align 8
user_stack: dq 0
