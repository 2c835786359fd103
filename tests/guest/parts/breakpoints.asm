; The guest's own breakpoints: instructions and data, in both rings.

PART breakpoints
        HOOK note_debug
        mov dword [traps], 0
        mov qword [last_step], 0
        mov eax, .here                  ; DR0: this instruction
        mov dr0, rax
        mov eax, watched                ; DR1: writes of 8 bytes
        mov dr1, rax
        mov eax, watched + 8            ; DR2: reads and writes of 4 bytes
        mov dr2, rax
        mov eax, 0x0f900400 | 0x15      ; see above; local, each
        mov dr7, rax
        mov ecx, 5
.again: lea eax, [rax + rcx]
.here:  add eax, 1
        mov [watched], rcx
        mov edx, [watched + 8]
        loop .again
        EXPECT_COUNT [traps], 15
        mov rax, dr7
        mov rdi, rax
        call mix
        mov edi, .user
        mov eax, .user_here
        mov dr0, rax
        call run_user
        xor eax, eax
        mov dr7, rax
        mov rdi, dr0
        call mix
        EXPECT_COUNT [traps], 18
        ret
.user:  mov ecx, 3
.turn:  nop
.user_here:
        loop .turn
        LEAVE_USER

align 8
watched:        dq 0, 0
