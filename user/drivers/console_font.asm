; The glyphs of the text console, `console_font` in text_screen.hpp: README.md says what they are.
section .rodata
global console_font
console_font: incbin "console_font.bin"
