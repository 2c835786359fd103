; The glyphs of the text screen: `console_font` in text_screen.hpp. font/README.md describes them.
section .rodata
global console_font
console_font: incbin "console_font.bin"
