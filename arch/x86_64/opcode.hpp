// The start of an instruction, as far as the kernel has to know it: what stands before the opcode
// (Intel SDM Vol. 2A §2.1.1, §2.2.1), the opcode's first byte and the one behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace arch::x86 {

struct Opcode {
  std::uint8_t code = 0, next = 0;  // 0 where nothing could be read
  std::uint8_t repeat = 0;          // the last of F2h and F3h
  bool narrow_data = false;         // 66h, and no REX.W, which only counts as the last prefix
  bool narrow_address = false;      // 67h
  std::size_t length = 0;           // prefixes and code; 0: there is no opcode
};

[[nodiscard]] inline Opcode opcode_of(std::span<const std::uint8_t> code) {
  Opcode opcode;
  bool wide = false;
  for (std::size_t at = 0; at < code.size(); ++at) {
    const std::uint8_t byte = code[at];
    switch (byte) {
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
      case 0x64:
      case 0x65:
      case 0xf0: break;
      case 0x66: opcode.narrow_data = true; break;
      case 0x67: opcode.narrow_address = true; break;
      case 0xf2:
      case 0xf3: opcode.repeat = byte; break;
      default:
        if ((byte & 0xf0) == 0x40) break;  // REX
        opcode.code = byte;
        opcode.next = at + 1 < code.size() ? code[at + 1] : 0;
        opcode.narrow_data &= !wide;  // Intel SDM Vol. 2A §2.2.1.2
        opcode.length = at + 1;
        return opcode;
    }
    wide = (byte & 0xf8) == 0x48;
  }
  return {};
}

}  // namespace arch::x86
