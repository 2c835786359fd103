// The machine's console: COM1 and the framebuffer. machine.hpp has what the kernel uses of it; this
// is what the other devices need.
#pragma once

#include <cstdint>

#include "arch/x86_64/instructions.hpp"

namespace arch::x86 {

struct MachinePorts {
  static std::uint8_t read8(unsigned port) { return in8(static_cast<std::uint16_t>(port)); }
  static void write8(unsigned port, std::uint8_t value) {
    out8(static_cast<std::uint16_t>(port), value);
  }
};

inline constexpr std::uint8_t serial_isa_line = 4;

// The serial line's interrupt is wired up from here on.
void enable_serial_interrupt();
// Moves what has arrived from the UART into the buffer that read_console() reads.
void drain_serial();
[[nodiscard]] bool console_has_input();

struct ConsoleFacts {
  bool serial;
  unsigned columns, rows;  // of the screen; 0: none
};
[[nodiscard]] ConsoleFacts console_facts();

}  // namespace arch::x86
