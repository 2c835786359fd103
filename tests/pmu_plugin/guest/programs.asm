; Ring-3 programs. A reader can tell from the text how many instructions retire. Each ends with `int 0x80`,
; which counts as one. RDI points to the demand-paged area, RCX is the program's length parameter.
bits 64
default rel
section .text

%macro program 1
global %1
align 64
%1:
%endmacro

program straight_line                           ; 101
%rep 100
        nop
%endrep
        int 0x80

program empty                                   ; 1
        int 0x80

program counted_loop                            ; 2 RCX + 1
.again: dec rcx
        jnz .again
        int 0x80

program loop_to_itself                          ; RCX + 1
.again: loop .again
        int 0x80

program calls                                   ; 6 RCX + 1
.again: call .callee
        call [.pointer]
        dec rcx
        jnz .again
        int 0x80
.callee: ret
align 8
.pointer: dq .callee

program rep_store                               ; 2
        rep stosb
        int 0x80

program rep_all                                 ; 17
        mov rsi, rdi
        mov rbx, rcx
        rep lodsb
        mov rcx, rbx
        rep movsq
        mov rcx, rbx
        repe cmpsb
        mov rcx, rbx
        repne scasb
        mov rcx, rbx
        rep stosw
        mov rcx, rbx
        repne scasd
        mov rcx, rbx
        mov rdi, rsi
        repe scasb
        int 0x80

program touch_pages                             ; 4 RCX + 1
.again: mov [rdi], rcx
        add rdi, 4096
        dec rcx
        jnz .again
        int 0x80

program push_faulting                           ; 5: every one of them faults at first
        mov rsp, [rdi]
        lea rsp, [rdi + 0x3000]
        push qword [rdi + 0x1000]
        pop qword [rdi + 0x4ff8]
        int 0x80

program jump_faulting                           ; 4 (a transfer through a page that is not there)
        lea rax, [.target]
        mov [.slot], rax
        jmp [rdi]                               ; the kernel fills the page with .target
.target:
        int 0x80
align 8
.slot:  dq 0
global jump_faulting_target
jump_faulting_target equ .target

program exceptions                              ; 6: the two that fault do not count
        nop
        ud2                                     ; the kernel goes on behind it
        nop
        xor ecx, ecx
        div ecx                                 ; likewise
        int3
        nop
        int 0x80

program system_calls                            ; 5 RCX + 2
        mov rbx, rcx
.again: mov eax, 1
        syscall
        nop
        dec rbx
        jnz .again
        int 0x80

program mixture                                 ; 14 RCX + 2
        lea rbx, [rsp - 64]
.again: pause
        lock inc qword [rbx]
        pushf
        popf
        movq xmm0, rcx
        paddq xmm0, xmm0
        mov eax, 100
        xor edx, edx
        div ecx
        push rcx
        nop
        pop rcx
        dec rcx
        jnz .again
        int 0x80

program writes_code                             ; 5 RCX + 1
.again: mov eax, ecx
        mov byte [.patched + 1], al             ; into the block that runs
.patched:
        mov dl, 0
        dec rcx
        jnz .again
        int 0x80

program spin                                    ; for ever
        jmp spin

program position                                ; for ever; RAX and RIP tell how many
.again:
%rep 40
        inc rax
%endrep
global position_jump
position_jump:
        jmp position

program long_rep                                ; overflow just before a long REP
        nop
        nop
        rep lodsb
        int 0x80
