// What may stand before an opcode (Intel SDM Vol. 2A §2.1.1, §2.2.1).
#pragma once

#include <cstdint>

namespace arch::x86 {

[[nodiscard]] constexpr bool is_prefix(std::uint8_t byte) {
  switch (byte) {
    case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:  // segments
    case 0x66: case 0x67: case 0xf0: case 0xf2: case 0xf3: return true;
    default: return (byte & 0xf0) == 0x40;  // REX
  }
}

}  // namespace arch::x86
