// Opcodes after Intel SDM Vol. 2, appendix A; see instruction_kind.hpp.
#include "instruction_kind.hpp"

namespace pmu {
namespace {

bool is_prefix(std::uint8_t byte) {
  switch (byte) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:  // segments
    case 0x66:
    case 0x67:  // operand, address size
    case 0xf0:
    case 0xf2:
    case 0xf3:  // LOCK, REPNE, REP
      return true;
    default: return (byte & 0xf0) == 0x40;  // REX; INC and DEC in 32-bit code, never prefixes here
  }
}

bool is_string(std::uint8_t opcode) {
  return (opcode >= 0x6c && opcode <= 0x6f) || (opcode >= 0xa4 && opcode <= 0xa7) ||
         (opcode >= 0xaa && opcode <= 0xaf);
}

Kind classify_two_byte(std::uint8_t opcode) {
  switch (opcode) {
    case 0x05: return Kind::SystemCall;
    case 0x07:
    case 0x34:
    case 0x35: return Kind::Transfer;  // SYSRET, SYSENTER, SYSEXIT
    case 0x30: return Kind::WriteMsr;
    case 0x32: return Kind::ReadMsr;
    default: return (opcode & 0xf0) == 0x80 ? Kind::Transfer : Kind::Plain;  // Jcc near
  }
}

bool is_one_byte_transfer(std::uint8_t opcode) {
  if ((opcode & 0xf0) == 0x70) return true;  // Jcc short
  switch (opcode) {
    case 0x9a:
    case 0xe8:  // CALL
    case 0xc2:
    case 0xc3:
    case 0xca:
    case 0xcb:  // RET
    case 0xcf:  // IRET
    case 0xe0:
    case 0xe1:
    case 0xe2:
    case 0xe3:  // LOOP, JCXZ
    case 0xe9:
    case 0xea:
    case 0xeb:  // JMP
      return true;
    default: return false;
  }
}

}  // namespace

Kind classify(std::span<const std::uint8_t> bytes) {
  std::size_t at = 0;
  bool repeat = false;
  while (at < bytes.size() && is_prefix(bytes[at])) {
    repeat = repeat || bytes[at] == 0xf2 || bytes[at] == 0xf3;
    ++at;
  }
  if (at == bytes.size()) return Kind::Plain;
  const std::uint8_t opcode = bytes[at];
  const std::uint8_t next = at + 1 < bytes.size() ? bytes[at + 1] : 0;
  if (opcode == 0x0f) return classify_two_byte(next);
  if (repeat && is_string(opcode)) return Kind::Repeat;
  if (is_one_byte_transfer(opcode)) return Kind::Transfer;
  const unsigned extension = next >> 3 & 7;  // of ModRM; FF /2 to /5 are CALL and JMP
  if (opcode == 0xff && extension >= 2 && extension <= 5) return Kind::Transfer;
  return Kind::Plain;
}

}  // namespace pmu
