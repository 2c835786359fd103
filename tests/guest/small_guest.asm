; The small guest: one thing a guest may do, and nothing else. Tests choose it by its name: what a
; stop costs, and what comes of a guest that is broken or means harm. It is a flat file
; (docs/guests.md, "How a guest begins").
;
; A test writes into the file: at 20h the part's name, NUL behind it, and at 40h how many rounds the
; part has. An unknown name ends the guest with status 255.

STATUS equ 0x501                        ; a byte written here ends the guest
CONSOLE equ 0x3f8
POST_CODE equ 0x80                      ; the monitor ignores what is written here
NOWHERE equ 0xf0000000                  ; beyond any guest's memory
PAGE equ 0x200000                       ; memory of the guest, beyond its image
LARGE_PAGE equ 0x83                     ; a page directory's entry: present, writable, 4 MiB
ACCESSED equ 0x20

org 0x100000
bits 32
        db "REPRISE-GUEST", 0, 0, 0

; In: flat segments, no paging, EBX = bytes of memory. Does not return.
entry:  jmp begin

        times 0x20 - ($ - $$) db 0
choice: times 32 db 0
rounds: dd 1

; Calls the chosen part with EBP = rounds and EBX = bytes of memory; it ends with status 0.
begin:  cld
        mov ebp, [rounds]
        mov edx, parts
.next:  mov edi, [edx]                  ; its name
        test edi, edi
        jz .unknown
        mov esi, choice
        call is_equal
        je .found
        add edx, 8
        jmp .next
.found: call [edx + 4]
        xor eax, eax
        jmp stop
.unknown:
        mov al, 255

; void stop(AL = status). Does not return.
stop:   mov dx, STATUS
        out dx, al
        jmp $

; ZF = is_equal(ESI, EDI): two texts, each with a NUL behind it. Changes EAX, ESI and EDI.
is_equal:
        lodsb
        scasb
        jne .done
        test al, al
        jnz is_equal
.done:  ret

; PART NAME begins a part; it ends by RET.
%macro PART 1
%defstr name %1
%%text: db name, 0
[section .parts]
        dd %%text, part_%1
__?SECT?__
part_%1:
%endmacro

section .parts align=4 follows=.text
parts:
section .text

; The kernel answers RDTSC itself.
PART time_stamp
        rdtsc
        dec ebp
        jnz part_time_stamp
        ret

; The same, and each PE modifies a page.
PART time_stamp_page
        rdtsc
        mov [PAGE], ebp
        dec ebp
        jnz part_time_stamp_page
        ret

; The monitor answers OUT.
PART port
        out POST_CODE, al
        dec ebp
        jnz part_port
        ret

; Four stops in a round: one is the kernel's, three are the monitor's.
PART stops
        rdtsc
        out POST_CODE, al
        xor eax, eax
        cpuid
        mov ecx, 0x1b                   ; the local APIC's base
        rdmsr
        dec ebp
        jnz part_stops
        ret

; No exception has a handler.
PART triple_fault
        lidt [no_handlers]
        ud2

; The same, once something is on the console.
PART late_triple_fault
        mov dx, CONSOLE
        mov al, '!'
        out dx, al
        mov al, 10
        out dx, al
        jmp part_triple_fault

PART jump_to_nothing
        mov eax, NOWHERE
        jmp eax

PART read_nothing
        mov eax, [NOWHERE + 0x12344]
        ret

; Each page of memory, and the first word behind.
PART fill_memory
        mov eax, PAGE
.page:  mov [eax], eax
        add eax, 0x1000
        cmp eax, ebx
        jb .page
        mov [ebx], eax
        ret

; Ten ports without a device. All that they are read as must be ones.
PART unknown_ports
        mov edx, 0x5000
.next:  in eax, dx
        inc eax
        jnz wrong
        out dx, eax
        add edx, 4
        cmp edx, 0x5028
        jb .next
        ret

; Ten MSRs that no monitor knows. They read as 0, and keep nothing.
PART unknown_msrs
        mov ecx, 0x4000
.next:  mov eax, 1
        mov edx, 1
        wrmsr
        rdmsr
        or eax, edx
        jnz wrong
        inc ecx
        cmp ecx, 0x400a
        jb .next
        ret

; The CPU has XSAVE, AVX and AVX2.
PART avx
        mov eax, 1
        cpuid
        and ecx, 1 << 26 | 1 << 28
        xor ecx, 1 << 26 | 1 << 28
        jnz wrong
        mov eax, 7
        cpuid                           ; ECX is 0
        test ebx, 1 << 5
        jz wrong
        ret

; The CPU itself sets the accessed bit in a page table that has long been write-protected again. What
; is read of it before and after goes into the registers that a stop is compared by. Reads 8 MiB.
PART table_bits
        mov edi, PAGE                   ; a page directory of 4 MiB pages, each at its own address
        mov eax, LARGE_PAGE
.map:   mov [edi], eax
        add edi, 4
        add eax, 0x400000
        jnc .map
.wait:  rdtsc                           ; a PE that leaves the directory clean, as paging is off
        dec ebp
        jnz .wait
        mov ebx, [PAGE + 4]             ; the entry of 4 to 8 MiB
        mov eax, cr4
        or eax, 1 << 4                  ; PSE
        mov cr4, eax
        mov eax, PAGE
        mov cr3, eax
        mov eax, cr0
        or eax, 1 << 31                 ; PG
        mov cr0, eax
        mov eax, [0x400000]
        mov ecx, [PAGE + 4]
        out POST_CODE, al
        cmp ebx, LARGE_PAGE + 0x400000
        jne wrong
        cmp ecx, LARGE_PAGE + 0x400000 + ACCESSED
        jne wrong
        ret

wrong:  mov al, 1
        jmp stop

; No device will make an interrupt.
PART sleep_for_ever
        sti
        hlt

no_handlers:
        dw 0
        dd 0

section .parts
        dd 0
