; Tiny programs for ring 3, copied to one page each case enters at its own place. Registers that the
; kernel's side checks are named there (main.cpp).
bits 64
section .rodata
align 4096
global user_page, user_call, user_undefined, user_write, user_spin, user_vector, user_flags
global user_time_stamp, user_port, user_breakpoint, user_interrupt, user_step, user_selectors
global user_table, user_halt, user_steps, user_steps_repeat, user_steps_end, user_self, \
       user_gs_base
user_page:
user_call:       mov eax, 1
                 mov r15d, 0x77
                 syscall
user_undefined:  ud2
user_write:      mov qword [0x700000], 1
user_spin:       jmp user_spin
user_vector:     vpcmpeqb ymm3, ymm3, ymm3
                 syscall
user_flags:      std                             ; direction and alignment check set at the fault
                 pushfq
                 or dword [rsp], 1 << 18
                 popfq
                 ud2
user_time_stamp: rdtsc
user_port:       in al, 0x60
user_halt:       hlt
user_breakpoint: int3
user_interrupt:  int 0x80
user_step:       pushfq                          ; TF set when SYSCALL enters the kernel
                 or dword [rsp], 1 << 8
                 popfq
                 syscall
user_selectors:  mov eax, 3
                 mov ds, eax
                 mov eax, 0x1b
                 mov fs, eax
                 mov gs, eax
                 syscall
user_table:      sgdt [rsp]
user_steps:      pushfq                          ; one step each, without a trace of them
                 pop rbx
                 pushfq
                 popfq
                 pause
                 mov ecx, 1000
                 mov edi, 0x500000
user_steps_repeat: rep stosb
                 lea eax, [ecx + 7]
                 syscall
user_steps_end:  ud2
user_self:       jmp user_self
user_gs_base:    wrgsbase rax
                 syscall
                 ud2
align 4096
