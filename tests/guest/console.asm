; The console: COM1, polled.

; Characters of 8 bits: at reset they may have 5. Changes RAX and RDX.
set_up_console:
        mov dx, 0x3fb
        mov al, 3
        out dx, al
        ret

; void put(AL): waits until the line takes a character. Changes no register.
put:    push rdx
        push rax
        mov dx, 0x3fd
.wait:  in al, dx
        test al, 0x20                   ; the holding register is empty
        jz .wait
        pop rax
        mov dx, 0x3f8
        out dx, al
        pop rdx
        ret

; void put_text(RSI = text with a NUL behind it). Changes RAX and RSI.
put_text:
        lodsb
        test al, al
        jz .done
        call put
        jmp put_text
.done:  ret

put_line_end:
        mov al, 13
        call put
        mov al, 10
        jmp put

; void put_hex(RAX = value, ECX = digits). Changes RAX, RCX and RDX.
put_hex:
        mov rdx, rax
        push rcx
        neg ecx
        add ecx, 16
        shl ecx, 2
        shl rdx, cl
        pop rcx
.digit: rol rdx, 4
        mov eax, edx
        and eax, 15
        mov al, [.digits + rax]
        call put
        dec ecx
        jnz .digit
        ret
.digits: db "0123456789ABCDEF"
