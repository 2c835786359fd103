; From the boot loader to C++. A Multiboot2 loader enters here in 32-bit protected mode, without
; paging (Multiboot2 specification 2.0 §3.3). This code checks that the CPU has long mode and loads
; boot page tables. Then it calls kernel_main() at its high address, on the kernel stack.
;
; arch/x86_64/kernel_tables.cpp builds the final tables later. Until then three windows are mapped,
; all writable and executable:
;
;   0000000000000000  physical memory from 0 on, for the few instructions before the jump up
;   DIRECT_MAP_BASE   the same memory: BOOT_GIGABYTES, enough for the frames of the final tables
;   KERNEL_BASE       the first GiB, which holds the kernel image
;
; Constants in capitals come from the C++ headers (arch/x86_64/offsets.cpp).
%include "offsets.inc"

MAGIC           equ 0xe85250d6
ARCHITECTURE    equ 0                   ; 32-bit protected mode of i386
TABLE           equ 3                   ; page table entries: present, writable
PAGE            equ 3 | 1 << 7          ; large

extern kernel_main
global kernel_stack_guard

; ---------------------------------------------------------------- what the loader looks for
section .multiboot progbits alloc noexec nowrite align=8
header:
        dd MAGIC, ARCHITECTURE, header_end - header
        dd 0x100000000 - (MAGIC + ARCHITECTURE + (header_end - header))
        dw 5, 1                         ; framebuffer, optional: any size, 32 bits a pixel
        dd 20, 0, 0, 32
        align 8
        dw 6, 0                         ; modules on page boundaries
        dd 8
        dw 0, 0                         ; end
        dd 8
header_end:

; ---------------------------------------------------------------- 32-bit part, at its load address
section .boot.text progbits alloc exec nowrite align=16
bits 32

; On entry: EAX = loader's magic, EBX = physical address of the boot information, no stack.
; EBP and EDI keep the two until the call of kernel_main().
global boot_entry
boot_entry:
        cli
        cld
        mov ebp, eax
        mov edi, ebx                    ; CPUID overwrites EBX

        mov eax, 0x80000000             ; does the leaf exist that announces long mode?
        cpuid
        mov esi, no_long_mode
        cmp eax, 0x80000001
        jb unfit
        mov eax, 0x80000001
        cpuid
        bt edx, 29                      ; LM
        jnc unfit

        mov eax, boot_pml4
        mov cr3, eax
        mov eax, cr4
        or eax, 1 << 5                  ; PAE
        mov cr4, eax
        mov ecx, 0xc0000080             ; EFER
        rdmsr
        or eax, 1 << 8                  ; LME
        wrmsr
        mov eax, cr0
        or eax, 1 << 31                 ; PG; the loader has set PE
        mov cr0, eax
        lgdt [boot_gdt_pointer]
        jmp 8:long_mode

; ESI = text that ends with a zero byte. Writes it to COM1 and to the VGA text screen, ends QEMU by
; its debug exit, and halts. It waits a bounded time for the UART, because there may be none.
unfit:
        mov edi, 0xb8000
        mov bh, 0x0f                    ; white on black
.next:  lodsb
        test al, al
        jz .said
        mov bl, al
        mov ecx, 100000
.wait:  mov dx, 0x3fd                   ; line status
        in al, dx
        test al, 0x20                   ; transmitter empty
        loopz .wait
        mov dx, 0x3f8
        mov al, bl
        out dx, al
        cmp al, ' '                     ; line ends are for the serial line only
        jb .next
        mov [edi], bx
        add edi, 2
        jmp .next
.said:  mov al, EXIT_MACHINE_UNFIT
        out DEBUG_EXIT_PORT, al
.halt:  cli
        hlt
        jmp .halt

; ---------------------------------------------------------------- 64-bit part
bits 64
long_mode:
        mov rax, high_entry
        jmp rax

section .text
; void kernel_main(uint32_t magic [edi], uint32_t info [esi])
; Only 32 bits of each count: the upper halves are undefined after the change of mode.
; The loader's segments stay until load_descriptor_tables().
high_entry:
        mov rsp, kernel_stack_top
        mov esi, edi
        mov edi, ebp
        xor ebp, ebp                    ; the end of the chain of stack frames
        call kernel_main
        ud2

section .boot.data progbits alloc noexec write align=4096
boot_gdt:
        dq 0
        dq 0x00209b0000000000           ; 64-bit code, ring 0
boot_gdt_pointer:
        dw boot_gdt_pointer - boot_gdt - 1
        dd boot_gdt
no_long_mode:
        db 13, 10, "[reprise] This CPU has no 64-bit long mode: Reprise needs an x86-64 CPU."
        db 13, 10
        db 'reprise: error code=machine-unfit missing=long-mode', 13, 10, 0

; One PDPT serves all three windows: entries from 0 on the first two, entry 510 the kernel's.
        align 4096
boot_pml4:
        dq boot_pdpt + TABLE
        times DIRECT_MAP_SLOT - 1 dq 0
        dq boot_pdpt + TABLE
        times 510 - DIRECT_MAP_SLOT dq 0
        dq boot_pdpt + TABLE
boot_pdpt:
%assign at 0
%rep BOOT_GIGABYTES
        dq boot_pds + at * 4096 + TABLE
  %assign at at + 1
%endrep
        times 510 - BOOT_GIGABYTES dq 0
        dq boot_pds + TABLE, 0
boot_pds:
%assign at 0
%rep BOOT_GIGABYTES * 512
        dq at << 21 | PAGE
  %assign at at + 1
%endrep

section .bss align=4096
        alignb 4096
; The kernel's one stack. The final tables do not map the guard page. So a stack overflow ends in a
; double fault, which has a stack of its own, and overwrites no data.
kernel_stack_guard: resb 4096
                resb KERNEL_STACK_BYTES
kernel_stack_top:
