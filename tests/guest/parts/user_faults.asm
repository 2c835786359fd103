; Faults and traps in ring 3, and what ring 3 may not do.

PART user_faults
        HOOK catch
        mov dword [traps], 0
        mov edi, WINDOW
        mov esi, PRESENT + USER
        call map_new
        mov edi, WINDOW + 0x1000
        mov esi, PRESENT + WRITABLE
        call map_new
        mov edi, .user
        call run_user
        EXPECT_COUNT [traps], 19
        ret
.user:  FAULT ud2
        xor ecx, ecx
        xor edx, edx
        FAULT div ecx
        FAULT cli
        FAULT hlt
        FAULT in al, 0x60
        FAULT out 0x80, al
        FAULT mov rax, cr0
        FAULT mov cr3, rax
        mov ecx, 0xc0000080
        FAULT rdmsr
        FAULT wrmsr
        FAULT invlpg [rsp]
        FAULT lgdt [rsp]
        mov ebx, WINDOW
        FAULT mov [rbx], rax            ; read-only
        FAULT mov rax, [rbx + 0x1000]   ; the kernel's
        FAULT mov rax, [ABSENT]
        mov rbx, 0x8000000000000000
        FAULT mov rax, [rbx]
        FAULT int CLOSED_VECTOR
        FAULT int3
        FAULT int 13                    ; a gate for ring 0
        LEAVE_USER

; INT n from ring 3, many times, and from ring 0.
PART int_n
        HOOK answer_call
        mov edi, .user
        call run_user
        mov edi, eax
        call mix
        mov eax, 5
        int CALL_VECTOR
        mov edi, eax
        call mix
        ret
.user:  mov ebx, 100
        mov eax, 3
.again: int CALL_VECTOR
        dec ebx
        jnz .again
        LEAVE_USER

; A hook: RAX = 5 RAX + 1.
answer_call:
        mov rsi, rdi
        call mix_frame
        mov rax, [rsi + FRAME.rax]
        lea rax, [rax + rax * 4 + 1]
        mov [rsi + FRAME.rax], rax
        ret

; 32-bit code in ring 3.
PART compatibility
        HOOK answer_call
        mov edi, USER_STACK
        mov ecx, (USER_STACK_END - USER_STACK) / 0x1000
        mov esi, PRESENT + WRITABLE + USER
        call map_range
        mov edi, .user
        mov esi, USER_STACK_END
        mov edx, USER_CODE_32
        call enter_user
        mov edi, eax
        call mix
        EXPECT rax, 5 * 21 + 1
        ret
bits 32
.user:  mov eax, USER_DATA
        mov ds, eax
        mov es, eax
        mov ecx, 6
        xor eax, eax
.again: add eax, ecx
        push eax
        pop edx
        loop .again
        int CALL_VECTOR
        LEAVE_USER
bits 64
