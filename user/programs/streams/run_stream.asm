; int run_stream(StreamState* state, void (*code)())
; Loads all registers from the state and jumps to the code. Comes back when the code jumps to
; stream_end (result 0) or by an exception (result 1, general registers in the kernel's frame): then
; the state holds what the registers were. Flags and RSP of the code may be anything.
bits 64
default rel
global run_stream, stream_end, stream_exception
extern stream_features                 ; bit 0: XSAVE, bit 1: FSGSBASE

STATE_FLAGS    equ 16 * 8
STATE_SEGMENTS equ 17 * 8              ; DS ES FS GS, 8 bytes each
STATE_BASES    equ 21 * 8              ; FS GS
STATE_IMAGE    equ 24 * 8              ; XSAVE's, 64-byte aligned

section .bss
alignb 8
kept_rsp:   resq 1
kept_state: resq 1
kept_code:  resq 1
kept_rax:   resq 1

section .text
run_stream:
        push rbx
        push rbp
        push r12
        push r13
        push r14
        push r15
        mov [kept_rsp], rsp
        mov [kept_state], rdi
        mov [kept_code], rsi
        xor eax, eax
        mov ds, eax
        mov es, eax
        mov fs, eax
        mov gs, eax
        test byte [stream_features], 2
        jz .based
        wrfsbase rax
        wrgsbase rax
.based: mov eax, 7
        xor edx, edx
        test byte [stream_features], 1
        jz .legacy
        xrstor [rdi + STATE_IMAGE]
        jmp .general
.legacy:
        fxrstor [rdi + STATE_IMAGE]
.general:
        push qword [rdi + STATE_FLAGS]
        mov rax, [rdi]
        mov rbx, [rdi + 8]
        mov rcx, [rdi + 16]
        mov rdx, [rdi + 24]
        mov rsi, [rdi + 32]
        mov rbp, [rdi + 48]
        mov r8, [rdi + 64]
        mov r9, [rdi + 72]
        mov r10, [rdi + 80]
        mov r11, [rdi + 88]
        mov r12, [rdi + 96]
        mov r13, [rdi + 104]
        mov r14, [rdi + 112]
        mov r15, [rdi + 120]
        popfq
        mov rsp, [rdi + 56]
        mov rdi, [rdi + 40]
        jmp [kept_code]

stream_end:
        mov [kept_rax], rax
        mov rax, [kept_state]
        mov [rax + 8], rbx
        mov [rax + 16], rcx
        mov [rax + 24], rdx
        mov [rax + 32], rsi
        mov [rax + 40], rdi
        mov [rax + 48], rbp
        mov [rax + 56], rsp
        mov [rax + 64], r8
        mov [rax + 72], r9
        mov [rax + 80], r10
        mov [rax + 88], r11
        mov [rax + 96], r12
        mov [rax + 104], r13
        mov [rax + 112], r14
        mov [rax + 120], r15
        mov rsp, [kept_rsp]
        mov rbx, [kept_rax]
        mov [rax], rbx
        pushfq
        pop qword [rax + STATE_FLAGS]
        xor ebx, ebx
        jmp save_rest

; Entered by the kernel (reprise_frame in RDI, flags clear).
stream_exception:
        mov rsp, [kept_rsp]
        mov ebx, 1
save_rest:
        push qword 0
        popfq
        mov rdi, [kept_state]
        mov eax, ds
        mov [rdi + STATE_SEGMENTS], rax
        mov eax, es
        mov [rdi + STATE_SEGMENTS + 8], rax
        mov eax, fs
        mov [rdi + STATE_SEGMENTS + 16], rax
        mov eax, gs
        mov [rdi + STATE_SEGMENTS + 24], rax
        test byte [stream_features], 2
        jz .based
        rdfsbase rax
        mov [rdi + STATE_BASES], rax
        rdgsbase rax
        mov [rdi + STATE_BASES + 8], rax
.based: mov eax, 7
        xor edx, edx
        test byte [stream_features], 1
        jz .legacy
        xsave [rdi + STATE_IMAGE]
        jmp .saved
.legacy:
        fxsave [rdi + STATE_IMAGE]
.saved: fninit                         ; nothing pending, usual rounding for what is compiled
        push qword 0x1f80
        ldmxcsr [rsp]
        pop rax
        mov eax, ebx
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        ret

section .note.GNU-stack noalloc noexec nowrite progbits
