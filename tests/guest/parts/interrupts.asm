; Interrupts of the timer: HLT, and ring 3 that is interrupted anywhere.

PART halt
        HOOK count_tick
        mov dword [ticks], 0
        mov dword [last_tick], 5
        mov ecx, 1193                   ; a millisecond
        call start_timer
.again: sti
        hlt
        cli
        cmp dword [ticks], 5
        jb .again
        mov edi, [ticks]
        call mix
        ret

; Ring 3 repeats one computation until three interrupts have come. Its result must be the same each
; time.
PART preempt
        HOOK count_tick
        mov dword [ticks], 0
        mov dword [last_tick], 3
        mov ecx, 1193
        call start_timer
        mov edi, .user
        call run_user
        cli
        EXPECT_COUNT [ticks], 3
        mov edi, eax
        call mix
        ret
.user:  mov ecx, 2000
        mov eax, 1
        mov ebx, 2
        mov rsi, 0x123456789abcdef
        movq xmm0, rsi
.turn:  imul eax, eax, 69069
        add eax, ebx
        rol rbx, 7
        xor rbx, rsi
        paddq xmm0, xmm0
        push rax
        pop rdx
        add rsi, rdx
        loop .turn
        movq rdx, xmm0
        xor rax, rdx
        cmp dword [ticks], 3
        jb .user
        LEAVE_USER
