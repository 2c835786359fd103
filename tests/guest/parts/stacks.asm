; Stacks: pages that a delivery's own pushes touch first, copies on write, and a double fault.

; Each INT from ring 3 pushes its frame to a page that nobody has touched before.
PART fresh_stacks
        HOOK answer_call
        mov edi, USER_STACK
        mov ecx, (USER_STACK_END - USER_STACK) / 0x1000
        mov esi, PRESENT + WRITABLE + USER
        call map_range
        mov edi, WINDOW
        mov ecx, 64
        mov esi, PRESENT + WRITABLE
        call map_range
        mov ebx, 1
.again: mov eax, ebx
        shl eax, 12
        lea rax, [rax + WINDOW + 24]    ; the frame reaches into two of them
        mov [tss_rsp0], rax
        mov edi, .user
        call run_user_again
        mov edi, eax
        call mix
        inc ebx
        cmp ebx, 64
        jb .again
        mov qword [tss_rsp0], TRAP_STACK_END
        ret
.user:  mov eax, 7
        int CALL_VECTOR
        LEAVE_USER

; The same in ring 0: a page fault, an interrupt gate, a call, all at the end of a fresh page.
PART fresh_kernel_stacks
        HOOK catch
        mov edi, WINDOW
        mov ecx, 48
        mov esi, PRESENT + WRITABLE
        call map_range
        mov rbp, rsp
        mov ebx, 48
.again: mov eax, ebx
        shl eax, 12
        lea rsp, [rax + WINDOW]
        CATCH .after
        mov eax, [ABSENT]
.after: mov edi, esp
        call mix
        dec ebx
        jnz .again
        mov rsp, rbp
        ret

; Ring 3's stack is read-only, and shared; the first push to each page copies it.
PART copy_on_write
        HOOK copy_page
        mov ebx, WINDOW + 0x100000
        mov edi, ebx                    ; 16 pages with words in them
        mov ecx, 16
        mov esi, PRESENT + WRITABLE
        call map_range
        mov eax, 1
        mov ecx, 16 * 4096 / 4
.fill:  mov [rbx + rcx * 4 - 4], eax
        imul eax, eax, 69069
        inc eax
        dec ecx
        jnz .fill
        mov edi, ebx                    ; now for ring 3 to read
        mov ecx, 16
.share: call entry_of
        and qword [rax], ~WRITABLE
        or qword [rax], USER
        invlpg [rdi]
        add rdi, 0x1000
        dec ecx
        jnz .share
        mov edi, .user
        lea esi, [rbx + 16 * 4096]
        mov edx, USER_CODE
        call enter_user
        mov edi, eax
        call mix
        mov esi, WINDOW + 0x100000
        mov ecx, 16 * 4096
        jmp mix_memory
.user:  mov ecx, 16 * 4096 / 8 / 4 - 8  ; calls that push, and come back
.push:  call .callee
        push rax
        push rcx
        push 0x55
        loop .push
        LEAVE_USER
.callee:
        lea rax, [rsp + rcx]
        ret

; A hook: the page gets a frame of its own, with the same words, that may be written.
copy_page:
        cmp qword [rdi + FRAME.vector], 14
        jne unexpected_trap
        push rdi
        mov rsi, rdi
        call mix_frame
        mov rdi, cr2
        and rdi, -0x1000
        call new_frame
        mov rdx, rax                    ; frames lie at their own addresses, too
        mov rsi, rdi
        mov r8, rdi
        mov rdi, rax
        mov ecx, 512
        rep movsq
        mov rdi, r8
        lea rsi, [rdx + PRESENT + WRITABLE + USER]
        call map_page
        pop rdi
        ret

; The stack for traps from ring 3 is absent: delivering #UD is a double fault, on its own stack.
PART double_fault
        HOOK .hook
        mov qword [tss_rsp0], ABSENT + 0x800
        mov edi, .user
        call run_user
        EXPECT rax, 99
        mov qword [tss_rsp0], TRAP_STACK_END
        mov edi, .user_call             ; and a fault of ring 3's own behind it
        HOOK answer_call
        call run_user_again
        mov edi, eax
        call mix
        ret
.user:  ud2
.user_call:
        mov eax, 3
        int CALL_VECTOR
        LEAVE_USER
.hook:  cmp qword [rdi + FRAME.vector], 8
        jne unexpected_trap
        mov rsi, rdi
        call mix_frame
        mov rdi, cr2
        call mix64
        mov rdi, rsi
        mov qword [rdi + FRAME.rax], 99
        jmp leave_user

; Accessed and dirty bits of page-table entries, as the CPU sets them.
PART entry_bits
        mov edi, WINDOW
        mov ecx, 4
        mov esi, PRESENT + WRITABLE
        call map_range
        mov eax, [WINDOW]
        mov [WINDOW + 0x1000], eax
        lock add dword [WINDOW + 0x2000], 5
        mov ebx, WINDOW
.again: mov edi, ebx
        call entry_of
        mov edi, [rax]
        and edi, 0xfff
        call mix
        add ebx, 0x1000
        cmp ebx, WINDOW + 0x4000
        jb .again
        EXPECT rdi, PRESENT + WRITABLE
        ret
