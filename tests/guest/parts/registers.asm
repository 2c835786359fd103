; Registers that only a kernel has, and what RDTSC and CPUID say about themselves.

%macro KEEPS_MSR 2                      ; which, and a value that it takes
        mov ecx, %1
        call read_msr
        mov rbx, rax
        mov rax, %2
        call write_msr
        call read_msr
        EXPECT rax, %2
        mov rdi, rax
        call mix64
        mov rax, rbx
        call write_msr
%endmacro

PART msrs
        KEEPS_MSR 0xc0000082, 0x00007f1234567890
        KEEPS_MSR 0xc0000081, 0x0023001000000000
        KEEPS_MSR 0xc0000083, 0x0000000000654321
        KEEPS_MSR 0xc0000084, 0x0000000000047700
        KEEPS_MSR 0xc0000100, 0xffff812345678900
        KEEPS_MSR 0xc0000101, 0x0000123456789abc
        KEEPS_MSR 0xc0000102, 0xffffffff80001000
        KEEPS_MSR 0x174, 0x8
        KEEPS_MSR 0x175, 0x220000
        KEEPS_MSR 0x176, 0x101010
        mov ecx, 0xc0000101             ; GS base, and SWAPGS
        mov eax, .words
        call write_msr
        mov ecx, 0xc0000102
        mov eax, .words + 8
        call write_msr
        mov rdi, [gs:0]
        call mix
        swapgs
        mov rdi, [gs:0]
        call mix
        swapgs
        mov ecx, 0xc0000100
        mov eax, .words + 4
        call write_msr
        mov rdi, [fs:8]
        call mix
        ret
align 8
.words: dq 0x1122334455667788, 0x99aabbccddeeff00

PART control
        mov rdi, cr0
        call mix
        mov rdi, cr3
        call mix
        mov rdi, cr4
        call mix
        mov ebx, 20                     ; PGE, off and on; CR3 again; TS, off and on
.again: mov rax, cr4
        btr eax, 7
        mov cr4, rax
        bts eax, 7
        mov cr4, rax
        mov rax, cr3
        mov cr3, rax
        mov rax, cr0
        or eax, 8
        mov cr0, rax
        clts
        mov eax, ebx
        and eax, 15
        mov cr8, rax
        mov rdi, cr8
        call mix
        dec ebx
        jnz .again
        xor eax, eax
        mov cr8, rax
        sub rsp, 16
        sgdt [rsp]
        mov rdi, [rsp + 2]
        call mix
        sidt [rsp]
        movzx edi, word [rsp]
        call mix
        add rsp, 16
        str eax
        mov edi, eax
        call mix
        smsw eax
        mov edi, eax
        call mix
        mov eax, USER_CODE
        lar edi, eax
        call mix
        lsl edi, eax
        call mix
        ret

; Both say what the machine likes, but the one never goes back, and the other says it twice.
PART stamps
        xor ebx, ebx
        xor ebp, ebp
        mov r8d, 100
.again: rdtsc
        shl rdx, 32
        or rax, rdx
        cmp rax, rbx
        ja .later
        inc ebp
.later: mov rbx, rax
        dec r8d
        jnz .again
        mov edi, ebp
        call mix
        EXPECT rbp, 0
        mov r8d, 20
.leaf:  call .leaf_checksum
        mov r9d, eax
        call .leaf_checksum
        EXPECT rax, r9
        dec r8d
        jnz .leaf
        ret
; EAX = a checksum of leaf 0
.leaf_checksum:
        xor eax, eax
        cpuid
        add eax, ebx
        rol eax, 3
        xor eax, ecx
        rol eax, 3
        add eax, edx
        ret

; Ports where no device is.
PART ports
        mov dx, 0x300
        xor eax, eax
        in al, dx
        mov edi, eax
        call mix
        in ax, dx
        mov edi, eax
        call mix
        in eax, dx
        mov edi, eax
        call mix
        EXPECT rdi, 0xffffffff
        mov eax, 0x12345678
        out dx, eax
        mov edi, eax
        call mix
        ret

; x87 and SSE.
PART floats
        fninit
        fldpi
        fldl2e
        fmulp
        fsqrt
        fstp qword [.result]
        mov rdi, [.result]
        call mix64
        mov eax, 3
        cvtsi2sd xmm0, eax
        mov ecx, 200
.again: sqrtsd xmm1, xmm0
        addsd xmm0, xmm1
        mulsd xmm1, xmm0
        divsd xmm1, xmm0
        addsd xmm0, xmm1
        dec ecx
        jnz .again
        movq rdi, xmm0
        call mix64
        stmxcsr [.result]
        mov edi, [.result]
        call mix
        ret
align 8
.result: dq 0
