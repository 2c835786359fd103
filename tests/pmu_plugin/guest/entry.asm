; The test kernel's way from QEMU's multiboot loader (-kernel) into long mode, its trap stubs and
; its way into ring 3. A trap from ring 3 pushes directly into the State that run_user() received:
; the TSS's RSP0 points at the end of that structure, and the stubs push the rest below.
bits 32
default rel

extern guest_main, unexpected_trap
global run_user, interrupt_stubs, tss_rsp0, nmis_in_kernel, demand_table, load_tables

KERNEL_CODE equ 0x08
KERNEL_DATA equ 0x10
USER_DATA equ 0x1b
USER_CODE equ 0x23
TSS equ 0x28
SYSCALL_VECTOR equ 0x100

section .multiboot
align 4
MULTIBOOT_MAGIC equ 0x1badb002
        dd MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

section .text
global start
start:
        mov esp, kernel_stack.end
        mov esi, ebx                            ; multiboot information, kept for guest_main
        ; 0..1 GiB: identity, user; 1 GiB: the demand-paged table; 3 GiB: the local APIC
        mov dword [pml4], pdpt + 7
        mov dword [pdpt], 0x87
        mov dword [pdpt + 8], demand_directory + 7
        mov dword [pdpt + 24], 0xc0000000 + 0x93
        mov dword [demand_directory], demand_table + 7
        mov eax, pml4
        mov cr3, eax
        mov eax, cr4
        or eax, 0x620                           ; PAE, OSFXSR, OSXMMEXCPT
        mov cr4, eax
        mov ecx, 0xc0000080                     ; EFER: LME, SCE
        rdmsr
        or eax, 0x101
        wrmsr
        mov eax, cr0
        or eax, 0x80010002                      ; PG, WP, MP
        mov cr0, eax
        lgdt [gdt_pointer]
        jmp KERNEL_CODE:long_mode

bits 64
long_mode:
        mov ax, KERNEL_DATA
        mov ss, ax
        mov ds, ax
        mov es, ax
        lea rax, [task_state]                   ; the TSS descriptor's base is in three pieces
        mov [gdt.tss + 2], ax
        shr rax, 16
        mov [gdt.tss + 4], al
        mov [gdt.tss + 7], ah
        mov ax, TSS
        ltr ax
        mov ecx, 0xc0000081                     ; STAR: only the kernel's half is used
        xor eax, eax
        mov edx, KERNEL_CODE
        wrmsr
        inc ecx                                 ; LSTAR
        lea rax, [syscall_entry]
        xor edx, edx
        wrmsr
        mov ecx, 0xc0000084                     ; FMASK: interrupts off
        mov eax, 0x700
        wrmsr
        mov edi, esi
        call guest_main
.stop:  hlt
        jmp .stop

; void load_tables(const void* idt_pointer)
load_tables:
        lidt [rdi]
        ret

; void run_user(State* state): returns at the next trap from ring 3, with the state in place.
run_user:
        push rbx
        push rbp
        push r12
        push r13
        push r14
        push r15
        mov [kernel_rsp], rsp
        lea rax, [rdi + STATE_SIZE]
        mov [tss_rsp0], rax
        mov rsp, rdi
        jmp restore

STATE_SIZE equ 22 * 8

%macro push_registers 0
        push r15
        push r14
        push r13
        push r12
        push r11
        push r10
        push r9
        push r8
        push rbp
        push rdi
        push rsi
        push rdx
        push rcx
        push rbx
        push rax
%endmacro

; Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
trap:
        push_registers
        test byte [rsp + 18 * 8], 3
        jz from_kernel
from_user:
        mov rsp, [kernel_rsp]
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        cld
        ret
from_kernel:
        cmp byte [rsp + 15 * 8], 2              ; an NMI may come here; nothing else may
        jne unexpected
        inc qword [nmis_in_kernel]
restore:
        pop rax
        pop rbx
        pop rcx
        pop rdx
        pop rsi
        pop rdi
        pop rbp
        pop r8
        pop r9
        pop r10
        pop r11
        pop r12
        pop r13
        pop r14
        pop r15
        add rsp, 16
        iretq
unexpected:
        mov rdi, [rsp + 15 * 8]
        mov rsi, [rsp + 17 * 8]
        call unexpected_trap

syscall_entry:
        mov [user_rsp], rsp
        mov rsp, [tss_rsp0]
        push USER_DATA
        push qword [user_rsp]
        push r11
        push USER_CODE
        push rcx
        push 0
        push SYSCALL_VECTOR
        push_registers
        jmp from_user

; 256 stubs of 16 bytes. Vectors 8, 10 to 14, 17, 21, 29 and 30 push an error code themselves.
align 16
interrupt_stubs:
%assign vector 0
%rep 256
        align 16
  %assign pushes_error 0
  %if vector = 8 || (vector >= 10 && vector <= 14)
    %assign pushes_error 1
  %elif vector = 17 || vector = 21 || vector = 29 || vector = 30
    %assign pushes_error 1
  %endif
  %if !pushes_error
        push 0
  %endif
        push vector
        jmp trap
  %assign vector vector + 1
%endrep

section .data
align 16
gdt:    dq 0
        dq 0x00af9a000000ffff                   ; kernel code
        dq 0x00cf92000000ffff                   ; kernel data
        dq 0x00cff2000000ffff                   ; user data
        dq 0x00affa000000ffff                   ; user code
.tss:   dq 0x0000890000000067, 0
gdt_pointer:
        dw gdt_pointer - gdt - 1
        dd gdt, 0

section .bss
alignb 4096
pml4:   resb 4096
pdpt:   resb 4096
demand_directory: resb 4096
demand_table: resb 4096
task_state:
        resb 4
tss_rsp0: resq 1
        resb 0x68 - 12
kernel_rsp: resq 1
user_rsp: resq 1
nmis_in_kernel: resq 1
alignb 16
        resb 16384
kernel_stack:
.end:
