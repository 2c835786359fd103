; REP over many pages, over pages that are mapped while it runs, and downwards.

PART strings
        HOOK demand_page
        call unmap_window
        mov edi, WINDOW + 0x10005       ; stores to absent pages
        mov eax, 0x5a
        mov ecx, 20000
        rep stosb
        mov ecx, 3000
        mov rax, 0x0123456789abcdef
        rep stosq
        mov esi, WINDOW + 0x10001
        mov edi, WINDOW + 0x40ff3
        mov ecx, 40000
        rep movsb                       ; to absent pages, not aligned
        mov esi, WINDOW + 0x10000 + 32000
        mov edi, WINDOW + 0x80000 + 32000
        mov ecx, 4000
        std
        rep movsq                       ; downwards, to absent pages
        cld
        mov esi, WINDOW + 0x10005
        mov edi, WINDOW + 0x40ff7
        mov ecx, 40000
        repe cmpsb
        mov edi, ecx
        call mix
        mov edi, WINDOW + 0x40ff7
        mov ecx, 50000
        mov al, 0x01
        repne scasb
        call mix
        mov edi, ecx
        call mix
        mov esi, WINDOW + 0x40000
        mov ecx, 0xb000 / 4
        call mix_memory_sparsely
        mov esi, WINDOW + 0x80100
        mov ecx, 32000 / 4
        jmp mix_memory_sparsely

; Many pages at once: more than a processing element may modify at first.
PART many_pages
        HOOK demand_page
        call unmap_window
        mov edi, WINDOW
        mov ecx, 400 * 4096 / 8
        mov rax, 0x7766554433221100
        rep stosq
        mov esi, WINDOW
        mov ecx, 400 * 4096 / 4
        jmp mix_memory_sparsely

; All of the window but the user stack.
unmap_window:
        xor eax, eax
        mov edi, TABLE_WINDOW
        mov ecx, (USER_STACK - WINDOW) / 0x1000
        rep stosq
        mov rax, cr3
        mov cr3, rax
        ret
