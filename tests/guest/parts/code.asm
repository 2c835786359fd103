; Code that changes itself.

; By the page that is executed, and by another address of the same frame.
PART self_modifying
        mov edi, WINDOW
        mov esi, PRESENT + WRITABLE
        call map_new
        mov rsi, [TABLE_WINDOW]
        mov edi, WINDOW + 0x1000        ; a second address
        and esi, -0x1000
        or esi, PRESENT + WRITABLE
        call map_page
        mov esi, .template
        mov edi, WINDOW + 0x100
        mov ecx, .template_end - .template
        rep movsb
        mov ebx, 200
        xor ebp, ebp
.again: mov [WINDOW + 0x101], ebx       ; MOV EAX's operand
        mov eax, WINDOW + 0x100
        call rax
        add ebp, eax
        imul ebp, ebp, 31
        mov [WINDOW + 0x1101], ebp
        mov eax, WINDOW + 0x100
        call rax
        add ebp, eax
        dec ebx
        jnz .again
        mov edi, ebp
        call mix
        mov byte [.patched + 1], 1      ; no trap comes at the store below: that is a case of its own
        jmp .patch
.patch: mov byte [.patched + 1], 7      ; the next instruction
.patched:
        mov al, 1
        movzx edi, al
        call mix
        EXPECT rdi, 7
        mov byte [.patched + 1], 1
        ret
.template:
        mov eax, 0
        ret
.template_end:
