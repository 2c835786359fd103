; The only instructions of the personality that access memory through a pointer of the program. None
; of them uses the stack. After a fault between user_access_begin and user_access_end, execution
; continues at user_access_fault with the same stack, so the function returns -1.
bits 64
default rel
global user_copy, user_string, user_save_vectors, user_load_vectors
global user_access_begin, user_access_end, user_access_fault
section .text

user_access_begin:

; std::int64_t user_copy(void* to, const void* from, std::uint64_t bytes): returns 0
user_copy:
  mov rcx, rdx
  shr rcx, 3
  rep movsq
  mov ecx, edx
  and ecx, 7
  rep movsb
  xor eax, eax
  ret

; std::int64_t user_string(char* to, const char* from, std::uint64_t limit): returns the length
; without the NUL, or `limit` when the first `limit` bytes have no NUL.
user_string:
  xor eax, eax
.next:
  cmp rax, rdx
  je .done
  mov cl, [rsi + rax]
  mov [rdi + rax], cl
  test cl, cl
  je .done
  inc rax
  jmp .next
.done:
  ret

; std::int64_t user_save_vectors(void* area, std::uint64_t components): returns 0. The area is
; aligned to 64 bytes, and its header (bytes 512 to 575) is zero. components = 0: FXSAVE. XSTATE_BV
; is set to all components, because the processor's own choice is not part of the architectural
; state.
user_save_vectors:
  test rsi, rsi
  jz .fxsave
  mov rdx, rsi
  shr rdx, 32
  mov eax, esi
  xsave64 [rdi]
  mov [rdi + 512], rsi
  xor eax, eax
  ret
.fxsave:
  fxsave64 [rdi]
  xor eax, eax
  ret

; std::int64_t user_load_vectors(const void* area, std::uint64_t components): returns 0
user_load_vectors:
  test rsi, rsi
  jz .fxrstor
  mov rdx, rsi
  shr rdx, 32
  mov eax, esi
  xrstor64 [rdi]
  xor eax, eax
  ret
.fxrstor:
  fxrstor64 [rdi]
  xor eax, eax
  ret

user_access_fault:
  mov rax, -1
  ret
user_access_end:
