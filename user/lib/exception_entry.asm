; Where the kernel continues after an exception that user/lib handles. Entered with RDI = the frame
; that holds all general registers, RSP = that of the interrupted code: below it lie 128 bytes that
; are still in use (System V ABI, red zone), and its alignment is anyone's. The handler is C++ and
; may change vector registers, so they are kept here; upper halves of AVX registers are not touched
; by code compiled for the base architecture.
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
  mov eax, 11                ; REPRISE_SET_HANDLER: the kernel has disarmed it
  mov edi, 1                 ; REPRISE_HANDLER_EXCEPTION
  lea rsi, [exception_entry]
  mov rdx, rbx
  syscall
  mov eax, 12                ; REPRISE_RESUME: as the handler left the frame
  mov rdi, rbx
  syscall
  ud2                        ; the frame was not one to continue with

section .note.GNU-stack noalloc noexec nowrite progbits
