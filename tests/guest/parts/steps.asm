; The guest's own single steps.

; A hook: notes a step, or a breakpoint, and goes on. The last step is at [last_step]. Steps to a REP
; are left out: QEMU takes one more of them with -icount.
note_debug:
        cmp qword [rdi + FRAME.vector], 1
        jne unexpected_trap
        mov rsi, rdi
        mov rax, [rsi + FRAME.rip]
        cmp byte [rax], 0xf3
        je .more
        inc dword [traps]
        mov edi, [rsi + FRAME.rip]
        call mix
        mov edi, [rsi + FRAME.rflags]
        call mix
        mov edi, [rsi + FRAME.rcx]
        call mix
        mov rdi, dr6
        and edi, 0xe00f                 ; BT, BS, BD, B3 to B0
        call mix
        mov eax, 0xffff0ff0
        mov dr6, rax
        mov rax, [last_step]
        cmp rax, [rsi + FRAME.rip]
        jne .more
        and dword [rsi + FRAME.rflags], ~TRAP_FLAG
.more:  or dword [rsi + FRAME.rflags], RESUME_FLAG
        ret

%macro STEP_ON 0
        pushfq
        or dword [rsp], TRAP_FLAG
        popfq
%endmacro

; What is stepped, in both rings.
%macro STEPPED_CODE 0
        mov ecx, 3
%%again:
        lea eax, [rax + rcx * 2]
        push rax
        pop rdx
        pushfq
        pop rbx
        loop %%again
        mov ecx, 20
        mov esi, stepped_bytes
        mov edi, stepped_bytes + 32
        rep movsb
        call %%callee
        jmp %%end
%%callee:
        cmp eax, 5
        ret
%%end:  nop
%endmacro

PART single_steps
        HOOK note_debug
        mov dword [traps], 0
        mov qword [last_step], .end
        STEP_ON
        STEPPED_CODE
        mov eax, KERNEL_DATA
        mov ss, eax                     ; no trap between this and the next
        nop
.end:   mov edi, ebx
        call mix
        mov edi, [traps]
        call mix
        mov qword [last_step], .user_end
        mov edi, .user
        call run_user
        mov edi, [traps]
        call mix
        ret
.user:  STEP_ON
        STEPPED_CODE
.user_end:
        mov edi, ebx
        call mix
        LEAVE_USER

align 8
last_step:      dq 0
stepped_bytes:  db "what a stepped REP MOVSB takes along"
                times 32 db 0
