// Opcodes as Intel SDM volume 2 and AMD APM volume 3 have them; see system_instruction.hpp.
#include "system_instruction.hpp"

#include <algorithm>

namespace fault {
namespace {

bool is_prefix(std::uint8_t byte) {
  constexpr std::uint8_t kLegacy[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                      0x66, 0x67, 0xf0, 0xf2, 0xf3};
  const bool is_rex = (byte & 0xf0) == 0x40;
  return is_rex || std::ranges::find(kLegacy, byte) != std::end(kLegacy);
}

SystemInstruction of_structures(bool is_one) {
  return is_one ? SystemInstruction::Structures : SystemInstruction::No;
}

}  // namespace

SystemInstruction kind_of(std::span<const std::uint8_t> instruction) {
  while (!instruction.empty() && is_prefix(instruction.front()))
    instruction = instruction.subspan(1);
  if (instruction.size() < 2 || instruction[0] != 0x0f) return SystemInstruction::No;
  const std::uint8_t opcode = instruction[1];
  if (opcode == 0x22) return SystemInstruction::Control;
  if (opcode == 0xaa) return SystemInstruction::Structures;  // RSM
  if (instruction.size() < 3) return SystemInstruction::No;
  const std::uint8_t mod_rm = instruction[2];
  const unsigned extension = mod_rm >> 3 & 7;
  if (opcode == 0x00) return of_structures(extension == 2 || extension == 3);  // LLDT, LTR
  if (opcode != 0x01) return SystemInstruction::No;
  const bool names_memory = mod_rm < 0xc0;
  if (names_memory) return of_structures(extension == 2 || extension == 3);  // LGDT, LIDT
  return of_structures((mod_rm >= 0xd8 && mod_rm <= 0xdb) || mod_rm == 0xde);
}

}  // namespace fault
