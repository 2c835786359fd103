; From the boot loader to C++: entered by a Multiboot2 loader in 32-bit protected mode without
; paging (Multiboot2 specification 2.0 §3.3), it checks that the CPU has long mode, builds boot page
; tables and calls kernel_main() at its high address, on the kernel stack. The final tables come
; later, in arch/x86_64/kernel_tables.cpp; until then three windows are open, all writable and
; executable:
;
;   0000000000000000  physical memory as it is, for the few instructions before the jump up
;   DIRECT_MAP_BASE   the same: 512 GiB in pages of 1 GiB, or 16 GiB in pages of 2 MiB
;   KERNEL_BASE       the first GiB, where the kernel image lies
;
; Constants in capitals come from the C++ headers (arch/x86_64/offsets.cpp).
%include "offsets.inc"

MAGIC           equ 0xe85250d6
ARCHITECTURE    equ 0                   ; 32-bit protected mode of i386
ENTRY_P         equ 1 << 0              ; page table entries: present, writable, large
ENTRY_RW        equ 1 << 1
ENTRY_PS        equ 1 << 7
%define LOW(symbol) ((symbol) - KERNEL_BASE)

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
; Both arrive at the call in EBP and EBX.
global boot_entry
boot_entry:
        cli
        cld
        mov ebp, eax
        mov esp, LOW(kernel_stack_top)
        push ebx                        ; CPUID overwrites it

        mov eax, 0x80000000             ; is there a leaf that could announce long mode?
        cpuid
        mov esi, no_long_mode
        cmp eax, 0x80000001
        jb unfit
        mov eax, 0x80000001
        cpuid
        bt edx, 29                      ; LM
        jnc unfit

        call build_boot_tables          ; takes EDX
        pop ebx
        mov eax, LOW(boot_pml4)
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

; EDX = CPUID 80000001h EDX. Fills the tables, which the loader has zeroed. Clobbers EAX, ECX, EDI.
build_boot_tables:
        mov dword [LOW(boot_pml4)], LOW(boot_low_pdpt) + (ENTRY_P | ENTRY_RW)
        mov dword [LOW(boot_pml4) + DIRECT_MAP_SLOT * 8], LOW(boot_low_pdpt) + (ENTRY_P | ENTRY_RW)
        mov dword [LOW(boot_pml4) + 511 * 8], LOW(boot_high_pdpt) + (ENTRY_P | ENTRY_RW)
        mov dword [LOW(boot_high_pdpt) + 510 * 8], LOW(boot_low_pds) + (ENTRY_P | ENTRY_RW)

        mov edi, LOW(boot_low_pds)      ; 2 MiB pages: the kernel's window takes the first GiB
        xor ecx, ecx
.page:  mov eax, ecx
        shl eax, 21
        or eax, ENTRY_P | ENTRY_RW | ENTRY_PS
        mov [edi + ecx * 8], eax
        mov eax, ecx
        shr eax, 32 - 21
        mov [edi + ecx * 8 + 4], eax
        inc ecx
        cmp ecx, BOOT_PDS * 512
        jb .page

        mov edi, LOW(boot_low_pdpt)
        xor ecx, ecx
        bt edx, 26                      ; Page1GB
        jc .huge
.table: mov eax, ecx
        shl eax, 12
        add eax, LOW(boot_low_pds) + (ENTRY_P | ENTRY_RW)
        mov [edi + ecx * 8], eax
        inc ecx
        cmp ecx, BOOT_PDS
        jb .table
        ret
.huge:  mov eax, ecx
        shl eax, 30
        or eax, ENTRY_P | ENTRY_RW | ENTRY_PS
        mov [edi + ecx * 8], eax
        mov eax, ecx
        shr eax, 2
        mov [edi + ecx * 8 + 4], eax
        inc ecx
        cmp ecx, 512
        jb .huge
        ret

; ESI = text, ends with a zero byte. Says it on COM1 and on the VGA text screen, tells QEMU, halts.
; Waits a bounded time for the UART: there may be none.
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
; kernel_main(magic, info): both 32 bits wide, the upper halves are undefined after the mode change.
high_entry:
        xor eax, eax
        mov ds, eax
        mov es, eax
        mov ss, eax
        mov fs, eax
        mov gs, eax
        mov rsp, kernel_stack_top
        mov edi, ebp
        mov esi, ebx
        xor ebp, ebp                    ; the end of the chain of stack frames
        call kernel_main
        ud2

section .boot.data progbits alloc noexec nowrite align=8
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

section .bss align=4096
        alignb 4096
boot_pml4:      resb 4096
boot_low_pdpt:  resb 4096
boot_high_pdpt: resb 4096
boot_low_pds:   resb 4096 * BOOT_PDS
; The kernel's one stack. The final tables leave the guard page out: an overflow becomes a double
; fault, which has a stack of its own, instead of silently wrong data.
kernel_stack_guard: resb 4096
                resb KERNEL_STACK_BYTES
kernel_stack_top:
