; The copy of a page at a write fault, by each width of vector registers. vector_operations.hpp has
; the table. The program's registers are still in the CPU, so the two that are needed here are kept
; on the stack meanwhile. Legacy SSE instructions leave the upper parts of wider registers alone.
bits 64
section .text

%define SIZE 4096
%define ROUND 1024

; FAULT_COPY name, width, register prefix, move, aligned move, exclusive or
%macro FAULT_COPY 6
%define V0 %3 %+ 0
%define V1 %3 %+ 1

; std::uint64_t copy_page_at_fault_...(std::uint64_t* to [rdi], const std::uint64_t* from [rsi])
; Copies 4,096 bytes, aligned to the width; rax = exclusive or of all words that were stored.
; Clobbers rcx, rsi, rdi. Stack: V0, V1, the sum.
global %1
align 16
%1:
        sub rsp, 3 * %2
        %4 [rsp], V0
        %4 [rsp + %2], V1
        %6 V1, V1
        mov ecx, SIZE / ROUND
%%round:
  %assign offset 0
  %rep ROUND / %2
        %5 V0, [rsi + offset]
        %6 V1, V0
        %5 [rdi + offset], V0
    %assign offset offset + %2
  %endrep
        add rsi, ROUND
        add rdi, ROUND
        dec ecx
        jnz %%round
        %4 [rsp + 2 * %2], V1
        xor eax, eax
  %assign offset 2 * %2
  %rep %2 / 8
        xor rax, [rsp + offset]
    %assign offset offset + 8
  %endrep
        %4 V0, [rsp]
        %4 V1, [rsp + %2]
        add rsp, 3 * %2
        ret
%endmacro

%macro XOR_SSE2 2
        pxor %1, %2
%endmacro
%macro XOR_AVX2 2
        vpxor %1, %1, %2
%endmacro
%macro XOR_AVX512 2
        vpxorq %1, %1, %2
%endmacro

FAULT_COPY copy_page_at_fault_sse2, 16, xmm, movups, movdqa, XOR_SSE2
FAULT_COPY copy_page_at_fault_avx2, 32, ymm, vmovups, vmovdqa, XOR_AVX2
FAULT_COPY copy_page_at_fault_avx512, 64, zmm, vmovups, vmovdqa64, XOR_AVX512

section .note.GNU-stack noalloc noexec nowrite progbits
