; AVX, and XSAVE with XCR0. A CPU without AVX2 computes the same with SSE2, and has the same
; checksum.

%define VECTOR_TURNS 20000
%define OSXSAVE 1 << 18                 ; in CR4

; The instruction has to end in this exception.
%macro REFUSED 2+
        mov dword [refused_vector], 0
        CATCH %%next
        %2
%%next: EXPECT_COUNT [refused_vector], %1
%endmacro

PART vectors
        HOOK note_refusal
        call has_avx2
        jz .narrow
        call check_xcr0
        call turn_wide
        call check_xsave
        call check_without
        jmp .mix
.narrow:
        call turn_narrow
.mix:   mov ebx, 8
.word:  mov edi, [turned + 4 * rbx - 4]
        call mix
        dec ebx
        jnz .word
        ret

; ZF: no AVX2, or no XSAVE. Changes RAX to RDX.
has_avx2:
        xor eax, eax
        cpuid
        cmp eax, 7
        jb .no
        mov eax, 1
        cpuid
        test ecx, 1 << 26
        jz .no
        mov eax, 7
        xor ecx, ecx
        cpuid
        test ebx, 1 << 5
.no:    ret

; A hook: takes down the vector, and goes on where CATCH said.
note_refusal:
        mov eax, [rdi + FRAME.vector]
        mov [refused_vector], eax
        mov rax, [resume_at]
        mov [rdi + FRAME.rip], rax
        ret

check_xcr0:
        REFUSED 6, xgetbv
        REFUSED 6, xsetbv
        mov rax, cr4
        or eax, OSXSAVE
        mov cr4, rax
        mov eax, 1
        cpuid
        shr ecx, 27
        and ecx, 1
        EXPECT rcx, 1
        xor ecx, ecx
        xgetbv
        EXPECT rax, 1
        xor edx, edx
        mov eax, 6                      ; without x87
        REFUSED 13, xsetbv
        mov eax, 5                      ; AVX without SSE
        REFUSED 13, xsetbv
        mov edx, 1 << 30                ; what nobody has
        mov eax, 7
        REFUSED 13, xsetbv
        xor edx, edx
        inc ecx
        REFUSED 13, xsetbv
        xor ecx, ecx
        xsetbv
        xgetbv
        EXPECT rax, 7
        ret

; Eight xorshift generators side by side.
turn_wide:
        vmovdqu ymm0, [seeds]
        mov ecx, VECTOR_TURNS
.turn:  vpslld ymm1, ymm0, 13
        vpxor ymm0, ymm0, ymm1
        vpsrld ymm1, ymm0, 17
        vpxor ymm0, ymm0, ymm1
        vpslld ymm1, ymm0, 5
        vpxor ymm0, ymm0, ymm1
        dec ecx
        jnz .turn
        vmovdqu [turned], ymm0
        ret

; Leaf 0Dh, and the state through memory and back.
check_xsave:
        mov eax, 0xd
        xor ecx, ecx
        cpuid
        and eax, 7
        EXPECT rax, 7
        EXPECT rbx, 832
        mov eax, 7
        xor edx, edx
        xsave [save_area]
        vzeroall
        xrstor [save_area]
        vmovdqu [seeds_again], ymm0
        mov ebx, 4
.word:  mov rax, [seeds_again + 8 * rbx - 8]
        EXPECT rax, [turned + 8 * rbx - 8]
        dec ebx
        jnz .word
        ret

; With CR4.OSXSAVE off again, AVX is gone.
check_without:
        mov rax, cr4
        and eax, ~(OSXSAVE)
        mov cr4, rax
        REFUSED 6, vpxor ymm0, ymm0, ymm0
        REFUSED 6, xgetbv
        ret

turn_narrow:
        movdqu xmm0, [seeds]
        call .turn_four
        movdqu [turned], xmm0
        movdqu xmm0, [seeds + 16]
        call .turn_four
        movdqu [turned + 16], xmm0
        ret
.turn_four:
        mov ecx, VECTOR_TURNS
.turn:  movdqa xmm1, xmm0
        pslld xmm1, 13
        pxor xmm0, xmm1
        movdqa xmm1, xmm0
        psrld xmm1, 17
        pxor xmm0, xmm1
        movdqa xmm1, xmm0
        pslld xmm1, 5
        pxor xmm0, xmm1
        dec ecx
        jnz .turn
        ret

align 64
save_area:      times 1024 db 0
seeds:          dd 1, 22, 333, 4444, 55555, 666666, 7777777, 88888888
turned:         times 8 dd 0
seeds_again:    times 4 dq 0
refused_vector: dd 0
