; void touch_pages(void* first, std::uint64_t pages, std::uint64_t rounds)
; In each round writes one word of each page, then makes the cheapest system call. Only registers
; are used: each PE modifies exactly `pages` pages, the stack is not among them. The word written in
; round r of page k (both from 0) is number r mod 512, its value r * pages + k + 1.
bits 64
default rel
global touch_pages
section .text
touch_pages:
  push rbx
  push r12
  push r13
  push r14
  mov rbx, rdi               ; first page
  mov r12, rsi               ; pages
  mov r13, rdx               ; rounds
  xor r14d, r14d             ; round
  mov r8d, 1                 ; value
.round:
  cmp r14, r13
  jae .done
  mov ecx, r14d
  and ecx, 511
  lea rdi, [rbx + rcx * 8]
  mov rdx, r12
.page:
  mov [rdi], r8
  inc r8
  add rdi, 4096
  dec rdx
  jnz .page
  mov eax, 13                ; REPRISE_SELF; changes RAX, RCX, R11
  syscall
  inc r14
  jmp .round
.done:
  pop r14
  pop r13
  pop r12
  pop rbx
  ret

section .note.GNU-stack noalloc noexec nowrite progbits
