; The test guest: a small operating system of our own that does what is hard to virtualise, and
; says what came of it. It is a flat file that is loaded at 100000h and entered at 100010h, in
; 32-bit flat protected mode without paging (docs/guests.md). QEMU loads the same file by its
; multiboot header (-kernel), so each line can be compared with a plain machine's.
;
; Each part prints `part NAME ok CHECKSUM`, or `part NAME WRONG ...` when a value was not the
; expected one. The checksum is of all that the part saw: registers in trap frames, error codes,
; flags, memory. No value depends on time. At the end the number of wrong parts goes to port 501h.
;
; Read next: layout.asm, traps.asm, then the parts.

%include "layout.asm"

org IMAGE
bits 32
        db "REPRISE-GUEST", 0, 0, 0

; In: 32-bit protected mode, flat segments. Does not return.
entry:  jmp to_long_mode

; A test may write the name of a part here: then only that one is carried out, or, behind a minus
; sign, all but that one.
        times 0x20 - ($ - $$) db 0
choice: times 32 db 0

align 4
MULTIBOOT_MAGIC equ 0x1badb002
MULTIBOOT_PLACES equ 1 << 16            ; the header says where the file goes
multiboot_header:
        dd MULTIBOOT_MAGIC, MULTIBOOT_PLACES, -(MULTIBOOT_MAGIC + MULTIBOOT_PLACES)
        dd multiboot_header, IMAGE, image_end, TABLES_END, entry

%include "long_mode.asm"

bits 64
default abs

; void main(): carries out the parts, one after the other. Does not return.
main:   mov rsp, STACK_END
        call set_up_console
        mov esi, text_begin
        call put_text
        call set_up_traps
        call set_up_interrupts
        mov ebx, parts
.next:  mov rsi, [rbx]                  ; its name
        test rsi, rsi
        jz .end
        call is_chosen
        jne .skip
        mov dword [checksum], 0
        mov dword [wrong], 0
        mov qword [trap_hook], 0
        push rbx
        call [rbx + 8]
        pop rbx
        mov rsi, [rbx]
        call put_verdict
.skip:  add rbx, 16
        jmp .next
.end:   mov esi, text_end
        call put_text
        mov al, [wrong_parts]
        jmp stop

; ZF = is_chosen(RSI = name): set when the part is to be carried out. Changes RAX, RSI and RDI.
is_chosen:
        mov edi, choice
        mov ah, [rdi]
        test ah, ah
        jz .done                        ; there is no choice
        cmp ah, '-'
        jne .next
        inc edi
.next:  lodsb
        cmp al, [rdi]
        jne .differs
        inc edi
        test al, al
        jnz .next
        cmp ah, '-'                     ; the name is equal
        je .no
        xor eax, eax
.done:  ret
.differs:
        cmp ah, '-'
        ret
.no:    test edi, edi                   ; never zero
        ret

; void stop(AL = status): ends the machine. Does not return.
stop:   mov dx, 0x501
        out dx, al
.again: cli
        hlt
        jmp .again

; void mix(EDI): takes a value into the part's checksum. Changes no register and no flag.
mix:    pushfq
        push rax
        mov eax, [checksum]
        rol eax, 5
        xor eax, edi
        imul eax, eax, 0x9e3779b1
        add eax, 0x7f4a7c15
        mov [checksum], eax
        pop rax
        popfq
        ret

; void mix64(RDI)
mix64:  call mix
        push rdi
        pushfq
        shr rdi, 32
        popfq
        call mix
        pop rdi
        ret

; EXPECT VALUE, EXPECTED: notes the first value that is not what it should be.
%macro EXPECT 2
        push rax
        push rcx
        mov rax, %1
        mov rcx, %2
        call compare
        pop rcx
        pop rax
%endmacro

; The same for a counter in memory, of 32 bits.
%macro EXPECT_COUNT 2
        push rax
        push rcx
        mov eax, %1
        mov ecx, %2
        call compare
        pop rcx
        pop rax
%endmacro

; void compare(RAX = found, RCX = expected): keeps all registers; the caller's RIP says where.
compare:
        cmp rax, rcx
        je .done
        inc dword [wrong]
        cmp dword [wrong], 1
        jne .done
        push rbx
        mov rbx, [rsp + 8]
        mov [wrong_at], rbx
        mov [wrong_found], rax
        mov [wrong_expected], rcx
        pop rbx
.done:  ret

; The part's verdict, and its checksum. RSI = its name.
put_verdict:
        push rsi
        mov esi, text_part
        call put_text
        pop rsi
        call put_text
        cmp dword [wrong], 0
        jne .wrong
        mov esi, text_ok
        call put_text
        mov eax, [checksum]
        mov ecx, 8
        call put_hex
        jmp put_line_end
.wrong: inc byte [wrong_parts]
        mov esi, text_wrong
        call put_text
        mov rax, [wrong_at]
        mov ecx, 8
        call put_hex
        mov esi, text_found
        call put_text
        mov rax, [wrong_found]
        mov ecx, 16
        call put_hex
        mov esi, text_expected
        call put_text
        mov rax, [wrong_expected]
        mov ecx, 16
        call put_hex
        jmp put_line_end

%include "console.asm"
%include "traps.asm"
%include "pages.asm"
%include "user.asm"
%include "timer.asm"

%macro PART 1
%defstr name %1
%%text: db name, 0
[section .parts]
        dq %%text, part_%1
__?SECT?__
part_%1:
%endmacro

section .parts align=8 follows=.text
parts:
section .text

%include "parts/flags.asm"
%include "parts/faults.asm"
%include "parts/user_faults.asm"
%include "parts/interrupts.asm"
%include "parts/shadows.asm"
%include "parts/syscalls.asm"
%include "parts/registers.asm"
%include "parts/stacks.asm"
%include "parts/strings.asm"
%include "parts/code.asm"
%include "parts/steps.asm"
%include "parts/compute.asm"
%include "parts/vectors.asm"
%include "parts/breakpoints.asm"

section .parts
        dq 0, 0

section .data align=16 follows=.parts
text_begin:     db "test guest 1", 13, 10, 0
text_end:       db "test guest: end", 13, 10, 0
text_part:      db "part ", 0
text_ok:        db " ok ", 0
text_wrong:     db " WRONG at ", 0
text_found:     db " found ", 0
text_expected:  db " expected ", 0
text_trap:      db "unexpected trap ", 0
text_error:     db " error ", 0
text_rip:       db " rip ", 0
text_address:   db " address ", 0
align 8
checksum:       dd 0
wrong:          dd 0                    ; values of this part that are not what they should be
wrong_at:       dq 0
wrong_found:    dq 0
wrong_expected: dq 0
wrong_parts:    db 0
align 16
image_end:
