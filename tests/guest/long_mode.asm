; The way from 32-bit protected mode to 64-bit mode: page tables, the descriptor tables, main().

; Memory: 0 to 4 MiB in pages of 4 KiB, 4 to 8 MiB in two of 2 MiB, each at its own address. Ring 3
; may use the image's pages, and none of the others. WINDOW's table is empty.
to_long_mode:
        cli
        cld
        mov esp, STACK_END
        mov edi, PML4
        mov ecx, (TABLES_END - PML4) / 4
        xor eax, eax
        rep stosd
        mov dword [PML4], PDPT + PRESENT + WRITABLE + USER
        mov dword [PDPT], DIRECTORY_LOW + PRESENT + WRITABLE + USER
        mov dword [PDPT + 8], DIRECTORY_WINDOW + PRESENT + WRITABLE + USER
        mov dword [DIRECTORY_LOW], TABLE_LOW + PRESENT + WRITABLE + USER
        mov dword [DIRECTORY_LOW + 8], TABLE_HIGH + PRESENT + WRITABLE + USER
        mov dword [DIRECTORY_LOW + 16], 0x400000 + PRESENT + WRITABLE + LARGE
        mov dword [DIRECTORY_LOW + 24], 0x600000 + PRESENT + WRITABLE + LARGE
        mov dword [DIRECTORY_WINDOW], TABLE_WINDOW + PRESENT + WRITABLE + USER
        mov edi, TABLE_LOW
        mov eax, PRESENT + WRITABLE
.page:  mov edx, eax
        cmp eax, IMAGE
        jb .own
        cmp eax, image_end
        jae .own
        or edx, USER
.own:   mov [edi], edx
        add edi, 8
        add eax, 0x1000
        cmp edi, TABLE_HIGH + 0x1000
        jb .page

        mov eax, PML4
        mov cr3, eax
        mov eax, 0x6a0                  ; PAE, PGE, OSFXSR, OSXMMEXCPT
        mov cr4, eax
        mov ecx, 0xc0000080             ; EFER: SCE, LME, NXE
        xor edx, edx
        mov eax, 0x901
        wrmsr
        mov eax, 0x80010013             ; PG, WP, ET, MP, PE
        mov cr0, eax
        lgdt [gdt_register]
        jmp KERNEL_CODE:in_long_mode

bits 64
in_long_mode:
        mov eax, KERNEL_DATA
        mov ds, eax
        mov es, eax
        mov ss, eax
        xor eax, eax
        mov fs, eax
        mov gs, eax
        lldt ax
        mov eax, TSS_SELECTOR
        ltr ax
        mov rax, main
        jmp rax

; SYSCALL enters KERNEL_CODE. SYSRET leaves to the two descriptors behind USER_CODE_32.
align 16
gdt:    dq 0
        dq 0x00af9b000000ffff           ; KERNEL_CODE
        dq 0x00cf93000000ffff           ; KERNEL_DATA
        dq 0x00cffb000000ffff           ; USER_CODE_32
        dq 0x00cff3000000ffff           ; USER_DATA
        dq 0x00affb000000ffff           ; USER_CODE
        dw tss_end - tss - 1, (tss - $$ + IMAGE) & 0xffff  ; TSS_SELECTOR
        db (tss - $$ + IMAGE) >> 16, 0x89, 0, 0
        dq 0
        dq 0x00cf13000000ffff           ; NOT_PRESENT
gdt_end:
gdt_register:
        dw gdt_end - gdt - 1
        dq gdt

; AMD APM Vol. 2, 12.2.5.
align 16
tss:    dd 0
tss_rsp0:
        dq TRAP_STACK_END, 0, 0
        dq 0
        dq FAULT_STACK_END, 0, 0, 0, 0, 0, 0
        dq 0
        dw 0, tss_end - tss             ; no map of ports
tss_end:
