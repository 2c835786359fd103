; Ring 3: programs are code of this image. They end by INT LEAVE_VECTOR.

; RAX = run_user(RDI = entry), on the user stack, which is mapped anew. RAX is what the program left
; there. Changes all but RBX, RBP, RSP and R12 to R15.
run_user:
        push rdi
        mov rdi, USER_STACK
        mov ecx, (USER_STACK_END - USER_STACK) / 0x1000
        mov esi, PRESENT + WRITABLE + USER
        call map_range
        pop rdi
        ; falls through

; The same on the stack as it is.
run_user_again:
        mov esi, USER_STACK_END
        mov edx, USER_CODE
        ; falls through

; RAX = enter_user(RDI = entry, RSI = stack pointer, EDX = code selector)
enter_user:
        push rbx
        push rbp
        push r12
        push r13
        push r14
        push r15
        mov [kernel_stack], rsp
        push USER_DATA
        push rsi
        push 0x202                      ; interrupts are on
        push rdx
        push rdi
        iretq

; From trap(): the program has ended. RDI = frame.
leave_user:
        mov rax, [rdi + FRAME.rax]
        mov rsp, [kernel_stack]
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        ret

%macro LEAVE_USER 0
        int LEAVE_VECTOR
%endmacro

align 8
kernel_stack: dq 0
