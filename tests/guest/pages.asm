; Pages of the window, and frames for them.

; RAX = new_frame(): a frame that nobody has touched since the machine began. Changes nothing else.
new_frame:
        mov eax, [next_frame]
        add dword [next_frame], 0x1000
        cmp eax, LAST_FRAME
        jae .none
        ret
.none:  mov al, 254
        jmp stop

; void map_page(RDI = address in the window, RSI = frame and flags). Changes RAX.
map_page:
        mov rax, rdi
        sub rax, WINDOW
        shr rax, 12
        mov [TABLE_WINDOW + rax * 8], rsi
        invlpg [rdi]
        ret

; void map_new(RDI = address, RSI = flags): with a frame that nobody has touched. Changes RAX, RSI.
map_new:
        call new_frame
        or rsi, rax
        jmp map_page

; void map_range(RDI = address, ECX = pages, RSI = flags). Changes RAX, RCX and RDI.
map_range:
        push rsi
        call map_new
        pop rsi
        add rdi, 0x1000
        dec ecx
        jnz map_range
        ret

; RAX = entry_of(RDI = address): where its page-table entry is.
entry_of:
        mov rax, rdi
        sub rax, WINDOW
        shr rax, 12
        lea rax, [TABLE_WINDOW + rax * 8]
        ret

; void mix_memory(RSI = address, ECX = bytes, a multiple of 4). Changes RSI, RCX and RDI.
mix_memory:
        mov edi, [rsi]
        call mix
        add rsi, 4
        sub ecx, 4
        jnz mix_memory
        ret

align 8
next_frame: dq FIRST_FRAME
