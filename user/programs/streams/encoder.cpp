#include "user/programs/streams/encoder.hpp"

namespace {

struct Extensions {
  bool r, x, b;  // the fourth bits of reg, index, and base or rm
};

Extensions extensions_of(const Instruction& i) {
  if (!i.modrm) return {false, false, i.rm > 7};
  if (!i.is_memory) return {i.reg > 7, false, i.rm > 7};
  const bool based = i.memory.base == Memory::Base::Register;
  return {i.reg > 7, i.memory.index > 7, based && i.memory.base_register > 7};
}

}  // namespace

void Encoder::write(const Instruction& i) {
  if (i.segment != 0) byte(i.segment);
  if (i.narrow_address) byte(0x67);
  if (i.vex) {
    vex_prefix(i);
  } else {
    prefixes(i);
  }
  byte(i.opcode);
  if (i.modrm) operand(i);
  number(i.immediate, i.immediate_bytes);
}

void Encoder::prefixes(const Instruction& i) {
  if (i.lock) byte(0xf0);
  if (i.operand16) byte(0x66);
  if (i.mandatory != 0) byte(i.mandatory);
  const auto [r, x, b] = extensions_of(i);
  const unsigned rex = (i.wide ? 8u : 0u) | (r ? 4u : 0u) | (x ? 2u : 0u) | (b ? 1u : 0u);
  if (rex != 0) byte(0x40 | rex);
  if (i.map != Map::One) byte(0x0f);
  if (i.map == Map::Two38) byte(0x38);
  if (i.map == Map::Two3a) byte(0x3a);
}

// The three-byte form, which can say everything (Intel SDM Vol. 2A §2.3.5).
void Encoder::vex_prefix(const Instruction& i) {
  const auto [r, x, b] = extensions_of(i);
  const unsigned mandatory = i.mandatory == 0x66   ? 1
                             : i.mandatory == 0xf3 ? 2
                             : i.mandatory == 0xf2 ? 3
                                                   : 0;
  byte(0xc4);
  byte((r ? 0u : 0x80u) | (x ? 0u : 0x40u) | (b ? 0u : 0x20u) | static_cast<unsigned>(i.map));
  byte((i.wide ? 0x80u : 0u) | (~i.vvvv & 15u) << 3 | (i.long_vector ? 4u : 0u) | mandatory);
}

void Encoder::operand(const Instruction& i) {
  const unsigned reg = (i.reg & 7u) << 3;
  if (!i.is_memory) return byte(0xc0 | reg | (i.rm & 7u));
  const Memory& m = i.memory;
  if (m.base == Memory::Base::Relative) {
    byte(reg | 5);
    return number(m.displacement - (here() + 4 + i.immediate_bytes), 4);
  }
  const unsigned index = static_cast<unsigned>(m.scale) << 6 | (m.index & 7u) << 3;
  if (m.base == Memory::Base::Absolute) {
    byte(reg | 4);
    byte(index | 5);
    return number(m.displacement, 4);
  }
  const bool needs_sib = m.index != rsp || m.vector_index || (m.base_register & 7) == rsp;
  const auto displacement = static_cast<std::int64_t>(m.displacement);
  const bool brief = displacement >= -128 && displacement < 128;
  byte((brief ? 0x40u : 0x80u) | reg | (needs_sib ? 4u : m.base_register & 7u));
  if (needs_sib) byte(index | (m.base_register & 7u));
  number(m.displacement, brief ? 1 : 4);
}
