; Long computations without a trap: the time limit ends them anywhere.

PART compute
        mov edi, WINDOW
        mov ecx, 64
        mov esi, PRESENT + WRITABLE + USER
        call unmap_then_map
        mov edi, .user
        call run_user
        mov rdi, rax
        call mix64
        call .loop
        mov rdi, rax
        call mix64
        ret
.user:  call .loop
        LEAVE_USER
; RAX = a checksum: 120,000 turns of xorshift64, with a store to one of 64 pages now and then.
.loop:  mov rax, 0x9e3779b97f4a7c15
        mov ecx, 120000
.turn:  mov rdx, rax
        shl rdx, 13
        xor rax, rdx
        mov rdx, rax
        shr rdx, 7
        xor rax, rdx
        mov rdx, rax
        shl rdx, 17
        xor rax, rdx
        test eax, 0x3f
        jnz .next
        mov edx, eax
        shr edx, 6
        and edx, 0x3fff8
        add [rdx + WINDOW], rax
        xor rax, [rdx + WINDOW]
.next:  loop .turn
        ret

unmap_then_map:
        push rdi
        push rcx
        push rsi
        call unmap_window
        pop rsi
        pop rcx
        pop rdi
        jmp map_range
