; Faults in ring 0: each kind, its frame, its error code.

; FAULT INSTRUCTION...: goes on behind it.
%macro FAULT 1+
        CATCH %%next
        %1
%%next:
%endmacro

PART faults
        HOOK catch
        mov dword [traps], 0
        FAULT ud2
        xor ecx, ecx
        xor edx, edx
        mov eax, 1
        FAULT div ecx
        mov eax, 0x80000000
        cdq
        mov ecx, -1
        FAULT idiv ecx
        mov rbx, 0x8000000000000000
        FAULT mov rax, [rbx]            ; not canonical
        mov rbp, rbx
        FAULT mov rax, [rbp + 8]        ; the same by the stack segment
        mov ebx, ABSENT
        FAULT mov rax, [rbx]
        FAULT mov [rbx + 0x123], rax
        mov eax, 0x1234
        FAULT mov ds, eax               ; beyond the table
        mov eax, NOT_PRESENT
        FAULT mov ds, eax
        FAULT mov ss, eax
        FAULT int3
        FAULT int CLOSED_VECTOR
        EXPECT_COUNT [traps], 12
        call pages_that_fault
        call device_not_available
        EXPECT_COUNT [traps], 17
        ret

; Pages that may not be written or executed.
pages_that_fault:
        mov edi, WINDOW
        mov esi, PRESENT
        call map_new
        mov ebx, WINDOW
        FAULT mov qword [rbx + 8], 1
        FAULT add dword [rbx + 0xffd], 1  ; into the page behind, which is absent
        mov rsi, PRESENT + WRITABLE + NO_EXECUTE
        mov edi, WINDOW
        call map_new
        mov byte [WINDOW], 0xc3
        FAULT jmp rbx
        mov edi, WINDOW
        xor esi, esi
        jmp map_page

device_not_available:
        mov rax, cr0
        or eax, 8                       ; TS
        mov cr0, rax
        FAULT fldz
        FAULT addps xmm0, xmm1
        clts
        fninit
        ret

; A page fault whose handler maps the page; the instruction is carried out again.
PART demand
        HOOK demand_page
        xor ebx, ebx
.again: mov edi, WINDOW
        mov ecx, ebx
        shl ecx, 12
        add edi, ecx
        mov [rdi + rbx * 8], rbx
        inc ebx
        cmp ebx, 64
        jb .again
        mov esi, WINDOW
        mov ecx, 64 * 4096 / 4
        call mix_memory_sparsely
        mov edi, WINDOW
        mov ecx, 64
.gone:  xor esi, esi
        call map_page
        add rdi, 0x1000
        dec ecx
        jnz .gone
        ret

; A hook: maps the page of the window that is absent. Takes where the instruction stood into the
; checksum: RIP, and RCX of a REP.
demand_page:
        cmp qword [rdi + FRAME.vector], 14
        jne unexpected_trap
        push rdi
        mov rsi, rdi
        mov edi, [rsi + FRAME.error]
        call mix
        mov edi, [rsi + FRAME.rip]
        call mix
        mov edi, [rsi + FRAME.rcx]
        call mix
        mov edi, [rsi + FRAME.rflags]
        call mix
        mov rdi, cr2
        call mix64
        and rdi, -0x1000
        mov esi, PRESENT + WRITABLE + USER
        call map_new
        pop rdi
        ret

; void mix_memory_sparsely(RSI = address, ECX = words of 4 bytes): one word in 16.
mix_memory_sparsely:
        mov edi, [rsi]
        call mix
        add rsi, 64
        sub ecx, 16
        jg mix_memory_sparsely
        ret
