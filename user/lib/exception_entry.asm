; The kernel continues here after an exception that user/lib handles. Entered with RDI = the frame
; that holds all general registers, RSP = that of the interrupted code. The 128 bytes below RSP are
; still in use (System V ABI, red zone), and RSP may have any alignment. The handler is C++ and may
; change vector registers, so they are kept here. FXSAVE is enough: code compiled for the base
; architecture does not change the upper halves of AVX registers.
bits 64
default rel
global exception_entry
extern exception_handler     ; void (*)(reprise_frame&)
section .text
exception_entry:
  lea rsp, [rsp - 128]
  and rsp, -16
  sub rsp, 512
  fxsave [rsp]
  mov rbx, rdi
  call [exception_handler]
  fxrstor [rsp]
  mov eax, 11                ; REPRISE_SET_HANDLER: the kernel has disarmed the handler
  mov edi, 1                 ; REPRISE_HANDLER_EXCEPTION
  lea rsi, [exception_entry]
  mov rdx, rbx
  syscall
  mov eax, 12                ; REPRISE_RESUME: continue with the frame as the handler left it
  mov rdi, rbx
  syscall
  ud2                        ; reached only when the kernel refuses the frame

section .note.GNU-stack noalloc noexec nowrite progbits
