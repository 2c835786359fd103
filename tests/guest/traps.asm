; Traps: one gate for each vector, one frame for all (layout.asm), and a hook that the part at hand
; sets. Without a hook a trap is unexpected, and ends the machine with status 255.

; Sets the hook for traps: void hook(RDI = frame). It may change every register.
%macro HOOK 1
        mov qword [trap_hook], %1
%endmacro

; The trap that the next instruction causes is caught by catch(), and goes on at the label.
%macro CATCH 1
        mov qword [resume_at], %1
%endmacro

set_up_traps:
        xor ecx, ecx
.gate:  mov eax, ecx
        shl eax, 4
        mov edx, ecx
        imul edx, edx, STUB_BYTES
        add edx, stubs
        mov [IDT + rax], dx
        mov word [IDT + rax + 2], KERNEL_CODE
        mov word [IDT + rax + 4], 0x8e00  ; an interrupt gate for ring 0
        shr edx, 16
        mov [IDT + rax + 6], dx
        mov qword [IDT + rax + 8], 0
        inc ecx
        cmp ecx, 256
        jb .gate
        mov byte [IDT + 8 * 16 + 4], 1  ; double faults have a stack of their own: IST 1
        mov byte [IDT + 3 * 16 + 5], 0xee
        mov byte [IDT + CALL_VECTOR * 16 + 5], 0xee
        mov byte [IDT + LEAVE_VECTOR * 16 + 5], 0xee
        lidt [.register]
        ret
.register:
        dw 256 * 16 - 1
        dq IDT

STUB_BYTES equ 16
HAVE_ERROR equ 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17
align 16
stubs:
%assign vector 0
%rep 256
        align STUB_BYTES
%if vector > 31 || (HAVE_ERROR >> vector & 1) == 0
        push 0
%endif
        push vector
        jmp strict near trap
%assign vector vector + 1
%endrep

; The stack on entry: vector, error code, and what the CPU has pushed.
trap:   push rax
        push rbx
        push rcx
        push rdx
        push rsi
        push rdi
        push rbp
        push r8
        push r9
        push r10
        push r11
        push r12
        push r13
        push r14
        push r15
        cld
        mov rdi, rsp
        cmp qword [rdi + FRAME.vector], LEAVE_VECTOR
        je leave_user
        cmp qword [trap_hook], 0
        je unexpected_trap
        call [trap_hook]
        pop r15
        pop r14
        pop r13
        pop r12
        pop r11
        pop r10
        pop r9
        pop r8
        pop rbp
        pop rdi
        pop rsi
        pop rdx
        pop rcx
        pop rbx
        pop rax
        add rsp, 16
        iretq

; void catch(RDI = frame), a hook: takes all that the frame says into the checksum, and lets the
; part go on at its label.
catch:  mov rsi, rdi
        call mix_frame
        inc dword [traps]
        mov rax, [resume_at]
        test rax, rax
        jz unexpected_in_hook
        mov [rsi + FRAME.rip], rax
        mov qword [resume_at], 0
        ret

; void mix_frame(RSI = frame): vector, error code, place, flags, and for page faults the address.
mix_frame:
        mov edi, [rsi + FRAME.vector]
        call mix
        mov edi, [rsi + FRAME.error]
        call mix
        mov edi, [rsi + FRAME.rip]
        call mix
        mov edi, [rsi + FRAME.cs]
        call mix
        mov edi, [rsi + FRAME.rflags]
        call mix
        mov rdi, [rsi + FRAME.rsp]
        call mix64
        mov edi, [rsi + FRAME.ss]
        call mix
        cmp qword [rsi + FRAME.vector], 14
        jne .done
        mov rdi, cr2
        call mix64
.done:  ret

unexpected_in_hook:
        mov rdi, rsi
unexpected_trap:
        mov rbx, rdi
        mov esi, text_trap
        call put_text
        mov rax, [rbx + FRAME.vector]
        mov ecx, 2
        call put_hex
        mov esi, text_error
        call put_text
        mov rax, [rbx + FRAME.error]
        mov ecx, 8
        call put_hex
        mov esi, text_rip
        call put_text
        mov rax, [rbx + FRAME.rip]
        mov ecx, 16
        call put_hex
        mov esi, text_address
        call put_text
        mov rax, cr2
        mov ecx, 16
        call put_hex
        call put_line_end
        mov al, 255
        jmp stop

align 8
trap_hook: dq 0
resume_at: dq 0
traps:     dd 0                         ; that catch() has seen
