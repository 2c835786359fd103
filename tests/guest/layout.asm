; Where things lie in the test guest's memory, its selectors, and the picture of a trap frame.

IMAGE           equ 0x100000
PML4            equ 0x200000            ; page tables, one page each
PDPT            equ 0x201000
DIRECTORY_LOW   equ 0x202000            ; addresses from 0 on
TABLE_LOW       equ 0x203000            ; 0 to 2 MiB
TABLE_HIGH      equ 0x204000            ; 2 MiB to 4 MiB
DIRECTORY_WINDOW equ 0x205000           ; addresses from WINDOW on
TABLE_WINDOW    equ 0x206000
IDT             equ 0x207000            ; 256 gates of 16 bytes
TABLES_END      equ 0x208000

STACK_END       equ 0x220000            ; of the parts, in ring 0
TRAP_STACK_END  equ 0x230000            ; of traps from ring 3
FAULT_STACK_END equ 0x240000            ; of double faults (IST 1)
FIRST_FRAME     equ 0x400000            ; frames for the window, handed out once each
LAST_FRAME      equ 0x800000            ; the guest needs 8 MiB

WINDOW          equ 0x40000000          ; 2 MiB of addresses for map_page
USER_STACK      equ WINDOW + 0x1f0000   ; its last page ends at USER_STACK_END
USER_STACK_END  equ WINDOW + 0x1f4000
ABSENT          equ WINDOW + 0x1ff000   ; never mapped

PRESENT         equ 1
WRITABLE        equ 2
USER            equ 4
ACCESSED        equ 0x20
DIRTY           equ 0x40
LARGE           equ 0x80
NO_EXECUTE      equ 1 << 63

KERNEL_CODE     equ 0x08
KERNEL_DATA     equ 0x10
USER_CODE_32    equ 0x1b
USER_DATA       equ 0x23
USER_CODE       equ 0x2b
TSS_SELECTOR    equ 0x30
NOT_PRESENT     equ 0x40

CARRY_FLAG      equ 1
TRAP_FLAG       equ 1 << 8
INTERRUPT_FLAG  equ 1 << 9
DIRECTION_FLAG  equ 1 << 10
RESUME_FLAG     equ 1 << 16

LEAVE_VECTOR    equ 0x81                ; INT from ring 3: back behind run_user()
CALL_VECTOR     equ 0x80                ; INT from ring 3 for the part at hand
CLOSED_VECTOR   equ 0x82                ; a gate that ring 3 may not use
TIMER_VECTOR    equ 0x20                ; IRQ 0

; What a trap leaves on the stack, from RSP up. RDI points to it in a trap_hook.
struc FRAME
.r15:    resq 1
.r14:    resq 1
.r13:    resq 1
.r12:    resq 1
.r11:    resq 1
.r10:    resq 1
.r9:     resq 1
.r8:     resq 1
.rbp:    resq 1
.rdi:    resq 1
.rsi:    resq 1
.rdx:    resq 1
.rcx:    resq 1
.rbx:    resq 1
.rax:    resq 1
.vector: resq 1
.error:  resq 1                         ; 0 where the vector has none
.rip:    resq 1
.cs:     resq 1
.rflags: resq 1
.rsp:    resq 1
.ss:     resq 1
endstruc
