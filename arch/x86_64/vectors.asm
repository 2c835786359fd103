; The copies and comparisons that the speed of DWC depends on, by vector registers of 16 bytes (SSE2,
; which every x86-64 CPU has), 32 (AVX2) and 64 (AVX-512 Foundation). vector_operations.hpp has the
; table of them. Called only while no program's vectors are in the CPU.
;
; The check word is the exclusive or of all 64-bit words. A flipped bit flips the same bit of the
; check word, whatever the other words are, so a single flip never goes unnoticed. The order of the
; words does not matter, so the lanes of a vector and the three widths all come to the same result.
;
; Each function is written once, over these instructions, whose names and widths differ:
;   LOAD v, m        v := m
;   STORE m, v       m := v
;   XOR a, v         a := a ^ v, where v may be in memory
;   OR a, v          a := a | v
;   DIFFER d, v, m   d := d | (v ^ m); v is spoilt
; Data are aligned to 64 bytes. Sizes are multiples of 64 and not 0. All functions clobber rax, rcx,
; rdx, rsi, rdi and the vector registers 0 to 5.
bits 64
section .text

%macro USE_SSE2 0
  %define WIDTH 16
  %define V0 xmm0
  %define V1 xmm1
  %define V2 xmm2
  %define V4 xmm4
  %define V5 xmm5
  %define NAME(name) name %+ _sse2
%endmacro
%macro USE_AVX2 0
  %define WIDTH 32
  %define V0 ymm0
  %define V1 ymm1
  %define V2 ymm2
  %define V4 ymm4
  %define V5 ymm5
  %define NAME(name) name %+ _avx2
%endmacro
%macro USE_AVX512 0
  %define WIDTH 64
  %define V0 zmm0
  %define V1 zmm1
  %define V2 zmm2
  %define V4 zmm4
  %define V5 zmm5
  %define NAME(name) name %+ _avx512
%endmacro

%macro LOAD 2
  %if WIDTH = 64
        vmovdqa64 %1, %2
  %elif WIDTH = 32
        vmovdqa %1, %2
  %else
        movdqa %1, %2
  %endif
%endmacro
%macro STORE 2
        LOAD %1, %2
%endmacro
%macro XOR 2
  %if WIDTH = 64
        vpxorq %1, %1, %2
  %elif WIDTH = 32
        vpxor %1, %1, %2
  %else
        pxor %1, %2
  %endif
%endmacro
%macro OR 2
  %if WIDTH = 64
        vporq %1, %1, %2
  %elif WIDTH = 32
        vpor %1, %1, %2
  %else
        por %1, %2
  %endif
%endmacro
%macro DIFFER 3
  %if WIDTH = 64
        vpternlogq %1, %2, %3, 0xf6     ; a | (b ^ c)
  %else
        XOR %2, %3
        OR %1, %2
  %endif
%endmacro
%macro CLEAR 1
        XOR %1, %1
%endmacro

; FOLD op, number, register: `register` := the words of vector `number`, combined by pxor or por.
%macro FOLD 3
  %if WIDTH = 64
        vextracti64x4 ymm3, zmm%2, 1
        v%1 ymm%2, ymm%2, ymm3
  %endif
  %if WIDTH >= 32
        vextracti128 xmm3, ymm%2, 1
        v%1 xmm%2, xmm%2, xmm3
        vpsrldq xmm3, xmm%2, 8
        v%1 xmm%2, xmm%2, xmm3
        vmovq %3, xmm%2
  %else
        movdqa xmm3, xmm%2
        psrldq xmm3, 8
        %1 xmm%2, xmm3
        movq %3, xmm%2
  %endif
%endmacro
; Upper halves that stay in use would slow down SSE instructions on some CPUs.
%macro LEAVE 0
  %if WIDTH >= 32
        vzeroupper
  %endif
        ret
%endmacro

; Two registers take turns as sum and as differences of a page: with one, each vector would wait for
; the vector before. IN_TURN offset, even, odd: defines TURN as one of both.
%macro IN_TURN 3
  %if (%1) / WIDTH % 2
    %define TURN %3
  %else
    %define TURN %2
  %endif
%endmacro

; FETCH_AHEAD offset: asks for the lines two further on in both pages. It helps pages in memory a
; little. With narrower vectors it would be more instructions than it is worth.
%macro FETCH_AHEAD 1
  %if WIDTH = 64 && (%1) + 128 < 4096
        prefetcht0 [rsi + %1 + 128]
        prefetchw [rdi + %1 + 128]
  %endif
%endmacro

; COPY offset: copies one vector at rsi to rdi, and adds it to the sum in V1 or V4.
%macro COPY 1
        FETCH_AHEAD %1
        LOAD V0, [rsi + %1]
        STORE [rdi + %1], V0
        IN_TURN %1, V1, V4
        XOR TURN, V0
%endmacro
%macro COPY_OF_PAGE 1
        FETCH_AHEAD %1
        COPY_ONLY %1
%endmacro
%macro COPY_ONLY 1
        LOAD V0, [rsi + %1]
        STORE [rdi + %1], V0
%endmacro
; COMPARE offset: one vector at rdi with that at rsi; the sum of the first in V1 or V4, differences
; in V2 or V5.
%macro COMPARE 1
        LOAD V0, [rdi + %1]
        IN_TURN %1, V1, V4
        XOR TURN, V0
        IN_TURN %1, V2, V5
        DIFFER TURN, V0, [rsi + %1]
%endmacro
%macro COMPARE_ONLY 1
        LOAD V0, [rdi + %1]
        DIFFER V2, V0, [rsi + %1]
%endmacro
%macro SUM 1
        XOR V1, [rdi + %1]
%endmacro

; ROUNDS step, size: `step` for each vector of `size` bytes.
%macro ROUNDS 2
  %assign offset 0
  %rep (%2) / WIDTH
        %1 offset
    %assign offset offset + WIDTH
  %endrep
%endmacro
; 64 vectors: a whole page of AVX-512. In a short loop each instruction steps through the page, and
; the CPU prefetches with that stride, beyond the page: AMD family 26 copied pages in its second-level
; cache 12 % slower so.
%define PAGE_ROUND 64 * WIDTH
%define PAGE_ROUNDS 4096 / (PAGE_ROUND)

%macro BOTH_MOVE_ON 1
        add rdi, %1
        add rsi, %1
%endmacro

; PAGE_OF step: `step` for each vector of a page, with rsi and rdi moving on.
%macro PAGE_OF 1
  %if PAGE_ROUNDS = 1
        ROUNDS %1, PAGE_ROUND
  %else
        mov ecx, PAGE_ROUNDS
%%next:
        ROUNDS %1, PAGE_ROUND
        BOTH_MOVE_ON PAGE_ROUND
        dec ecx
        jnz %%next
  %endif
%endmacro

; ROUNDS_OF_WORDS step: `step` for each vector of rdx bytes, with rsi and rdi moving on.
%macro ROUNDS_OF_WORDS 1
        mov ecx, edx
        shr ecx, 8                      ; pieces of 256 bytes
        jz %%rest
%%next:
        ROUNDS %1, 256
        BOTH_MOVE_ON 256
        dec ecx
        jnz %%next
%%rest:
        and edx, 255
        jz %%done
%%next_block:
        ROUNDS %1, 64
        BOTH_MOVE_ON 64
        sub edx, 64
        jnz %%next_block
%%done:
%endmacro

%macro OPERATIONS 0
global NAME(copy_page), NAME(checked_copy_of_page), NAME(compare_pages)
global NAME(copy_words), NAME(differing_bits), NAME(check_word)

; void copy_page(std::uint64_t* to [rdi], const std::uint64_t* from [rsi])
; Copies 4,096 bytes.
align 16
NAME(copy_page):
        PAGE_OF COPY_OF_PAGE
        LEAVE

; std::uint64_t checked_copy_of_page(std::uint64_t* to [rdi], const std::uint64_t* from [rsi])
; Copies 4,096 bytes; rax = check word of the copy.
align 16
NAME(checked_copy_of_page):
        CLEAR V1
        CLEAR V4
        PAGE_OF COPY
        XOR V1, V4
        FOLD pxor, 1, rax
        LEAVE

; VectorOperations::Comparison compare_pages(const std::uint64_t* a [rdi], const std::uint64_t* b [rsi])
; Compares 4,096 bytes; rax = 0 if all agree, rdx = check word of `a`.
align 16
NAME(compare_pages):
        CLEAR V1
        CLEAR V2
        CLEAR V4
        CLEAR V5
        PAGE_OF COMPARE
        XOR V1, V4
        OR V2, V5
        FOLD por, 2, rax
        FOLD pxor, 1, rdx
        LEAVE

; void copy_words(std::uint64_t* to [rdi], const std::uint64_t* from [rsi], std::size_t bytes [rdx])
align 16
NAME(copy_words):
        ROUNDS_OF_WORDS COPY_ONLY
        LEAVE

; std::uint64_t differing_bits(const std::uint64_t* a [rdi], const std::uint64_t* b [rsi],
;                              std::size_t bytes [rdx])
; rax = 0 if all agree.
align 16
NAME(differing_bits):
        CLEAR V2
        ROUNDS_OF_WORDS COMPARE_ONLY
        FOLD por, 2, rax
        LEAVE

; std::uint64_t check_word(const std::uint64_t* words [rdi], std::size_t bytes [rsi])
; rax = their check word.
align 16
NAME(check_word):
        mov edx, esi
        CLEAR V1
        ROUNDS_OF_WORDS SUM
        FOLD pxor, 1, rax
        LEAVE
%endmacro

USE_SSE2
OPERATIONS
USE_AVX2
OPERATIONS
USE_AVX512
OPERATIONS

section .note.GNU-stack noalloc noexec nowrite progbits
