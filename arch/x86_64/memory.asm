; The memory functions that the compiler itself calls. They use string instructions and no vector
; registers, because the program's vector registers are still in the CPU while the kernel runs.
bits 64
section .text

; void* memmove(void* to [rdi], const void* from [rsi], size_t size [rdx]), and memcpy
; Copies from the end when the target overlaps the source from above. Clobbers rcx, rsi, rdi, r8.
; The direction flag is clear on entry and on return (System V ABI).
global memmove, memcpy
memmove:
memcpy:
    mov rax, rdi
    mov rcx, rdx
    mov r8, rdi
    sub r8, rsi
    cmp r8, rdx                 ; unsigned: "below" means that `to` lies in [from, from + size)
    jb .backwards
    shr rcx, 3                  ; words first: an emulator pays for, and counts, each iteration
    rep movsq
    mov ecx, edx
    and ecx, 7
    rep movsb
    ret
.backwards:
    lea rdi, [rdi + rdx - 1]
    lea rsi, [rsi + rdx - 1]
    std
    rep movsb
    cld
    ret

; void* memset(void* to [rdi], int value [esi], size_t size [rdx])
; Clobbers rcx, rdi, r8.
global memset
memset:
    mov r8, rdi
    mov eax, esi
    mov rcx, rdx
    rep stosb
    mov rax, r8
    ret

; int memcmp(const void* a [rdi], const void* b [rsi], size_t size [rdx])
; Clobbers rcx, rsi, rdi.
global memcmp
memcmp:
    xor eax, eax
    mov rcx, rdx
    cmp rcx, rcx                ; equal, for a size of 0
    repe cmpsb
    je .equal
    movzx eax, byte [rdi - 1]
    movzx ecx, byte [rsi - 1]
    sub eax, ecx
.equal:
    ret

; size_t strlen(const char* text [rdi])
; Clobbers rcx, rdi.
global strlen
strlen:
    xor eax, eax
    mov rcx, -1
    repne scasb
    not rcx
    lea rax, [rcx - 1]
    ret
