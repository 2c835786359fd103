; The 8259 pair and channel 0 of the 8254.

; Vectors from TIMER_VECTOR on; all lines masked. Changes RAX.
set_up_interrupts:
        mov al, 0x11                    ; ICW1 to ICW4
        out 0x20, al
        out 0xa0, al
        mov al, TIMER_VECTOR
        out 0x21, al
        mov al, TIMER_VECTOR + 8
        out 0xa1, al
        mov al, 4
        out 0x21, al
        mov al, 2
        out 0xa1, al
        mov al, 1
        out 0x21, al
        out 0xa1, al
        mov al, 0xff
        out 0x21, al
        out 0xa1, al
        ret

; void start_timer(ECX = period in ticks of 1.193 MHz): interrupt after interrupt (mode 2).
start_timer:
        mov al, 0x34
        jmp set_timer

; void start_shot(ECX = ticks): one interrupt (mode 0).
start_shot:
        mov al, 0x30
set_timer:
        out 0x43, al
        mov al, cl
        out 0x40, al
        mov al, ch
        out 0x40, al
        mov al, 0xfe
        out 0x21, al                    ; only IRQ 0
        ret

stop_timer:
        mov al, 0xff
        out 0x21, al
        ret

end_of_interrupt:
        mov al, 0x20
        out 0x20, al
        ret

; Waits until IRQ 0 is pending, with interrupts off. Changes RAX.
await_pending:
        mov al, 0x0a                    ; OCW3: reads give the requests
        out 0x20, al
.again: in al, 0x20
        test al, 1
        jz .again
        ret

; A hook: counts interrupts, and masks the timer at the last one that was asked for.
count_tick:
        cmp qword [rdi + FRAME.vector], TIMER_VECTOR
        jne unexpected_trap
        inc dword [ticks]
        mov eax, [ticks]
        cmp eax, [last_tick]
        jb .more
        call stop_timer
.more:  jmp end_of_interrupt

align 8
ticks:     dd 0
last_tick: dd 0
