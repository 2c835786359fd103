; The functions that the compiler calls by itself, without vector registers, and two functions that
; read the processor.
bits 64
default rel
global memcpy, memmove, memset, memcmp, read_cpuid, read_xcr0
section .text

; void* memcpy(void* to, const void* from, std::size_t bytes)
memcpy:
  mov rax, rdi
  mov rcx, rdx
  shr rcx, 3
  rep movsq
  mov ecx, edx
  and ecx, 7
  rep movsb
  ret

; void* memmove(void* to, const void* from, std::size_t bytes)
memmove:
  mov rcx, rdi
  sub rcx, rsi
  cmp rcx, rdx
  jae memcpy                 ; `to` lies before `from`, or behind its end
  mov rax, rdi
  lea rsi, [rsi + rdx - 1]
  lea rdi, [rdi + rdx - 1]
  mov rcx, rdx
  std
  rep movsb
  cld
  ret

; void* memset(void* to, int value, std::size_t bytes)
memset:
  mov r8, rdi
  mov rcx, rdx
  movzx eax, sil
  mov r9, 0x0101010101010101
  imul rax, r9
  shr rcx, 3
  rep stosq
  mov ecx, edx
  and ecx, 7
  rep stosb
  mov rax, r8
  ret

; int memcmp(const void* left, const void* right, std::size_t bytes)
memcmp:
  xor ecx, ecx
.next:
  cmp rcx, rdx
  je .equal
  movzx eax, byte [rdi + rcx]
  movzx r8d, byte [rsi + rcx]
  inc rcx
  sub eax, r8d
  jz .next
  ret
.equal:
  xor eax, eax
  ret

; void read_cpuid(std::uint32_t leaf, std::uint32_t subleaf, std::uint32_t out[4])
read_cpuid:
  push rbx
  mov r8, rdx
  mov eax, edi
  mov ecx, esi
  cpuid
  mov [r8], eax
  mov [r8 + 4], ebx
  mov [r8 + 8], ecx
  mov [r8 + 12], edx
  pop rbx
  ret

; std::uint64_t read_xcr0(): call it only when CPUID.1:ECX.OSXSAVE is set
read_xcr0:
  xor ecx, ecx
  xgetbv
  shl rdx, 32
  or rax, rdx
  ret
