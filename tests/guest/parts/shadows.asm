; The instruction boundary at which a pending interrupt comes: behind STI and MOV SS not before the
; next instruction, behind POPF and IRET at once.

; void make_pending(): IRQ 0 waits, and interrupts are off.
make_pending:
        cli
        mov dword [ticks], 0
        mov dword [last_tick], 1
        mov ecx, 20
        call start_shot
        jmp await_pending

; A hook: where the interrupt came, and with which flags.
note_tick:
        push rdi
        mov rsi, rdi
        call mix_frame
        mov rax, [rsi + FRAME.rip]
        mov [came_at], rax
        pop rdi
        jmp count_tick

PART shadows
        HOOK note_tick
        call make_pending               ; STI: one instruction more
        sti
        nop
.sti:   nop
        cli
        EXPECT [came_at], .sti
        call make_pending               ; STI and CLI: never
        sti
        cli
        EXPECT_COUNT [ticks], 0
        call make_pending               ; STI and HLT: wakes at once
        sti
        hlt
.halt:  cli
        EXPECT [came_at], .halt
        call make_pending               ; POPF: at once
        push 0x202
        popfq
.popf:  cli
        EXPECT [came_at], .popf
        call make_pending               ; IRET: at once
        mov rbp, rsp
        push KERNEL_DATA
        push rbp
        push 0x202
        push KERNEL_CODE
        push .iret
        iretq
.iret:  cli
        EXPECT [came_at], .iret
        jmp shadows_over_fresh_pages

; CR8 is written while an interrupt waits.
PART priority
        HOOK note_tick
        call make_pending
        mov eax, 15
        mov cr8, rax
        xor eax, eax
        mov cr8, rax
        sti
        nop
.after: cli
        EXPECT [came_at], .after
        ret

; What stands in the shadow writes to a page that nobody has touched: under a hypervisor that watches
; pages, a trap comes there, and the shadow must still hold behind it.
shadows_over_fresh_pages:
        mov edi, WINDOW
        mov ecx, 3
        mov esi, PRESENT + WRITABLE
        call map_range
        call make_pending
        sti
        mov qword [WINDOW + 8], 1
.sti:   nop
        cli
        EXPECT [came_at], .sti
        call make_pending
        sti
        push qword [WINDOW + 0x1000]
.push:  pop rax
        cli
        EXPECT [came_at], .push
        mov eax, KERNEL_DATA
        mov ss, eax
        mov qword [WINDOW + 0x2000], 2
        mov edi, [WINDOW + 8]
        add edi, [WINDOW + 0x2000]
        call mix
        ret

align 8
came_at: dq 0
