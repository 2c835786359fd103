// Vector registers, x87 and MMX, and the instructions that save and load all of them.
#include "user/programs/streams/generator.hpp"

namespace {

enum class Length { Short, Long, Both };

// Of the VEX forms: 128 bits, 256 bits, or both. QEMU 7.2 ends with a failed assertion at ROUNDSS,
// ROUNDSD and others that know no 256 bits.
Length length_of(const Instruction& i, const VectorForm& form) {
  const bool three = form.shape == VectorForm::Shape::Three;
  const bool one_element = i.mandatory == 0xf3 || i.mandatory == 0xf2;
  switch (i.map) {
    case Map::Two:
      if (i.opcode == 0x12 || i.opcode == 0x16) return three ? Length::Short : Length::Both;
      if (i.opcode == 0x7c || i.opcode == 0x7d || i.opcode == 0xd0) return Length::Both;
      if (i.opcode == 0xd6 || i.opcode == 0x7e) return Length::Short;
      return three && one_element ? Length::Short : Length::Both;
    case Map::Two38:
      switch (i.opcode) {
        case 0x16:
        case 0x19:
        case 0x1a:
        case 0x36:
        case 0x5a: return Length::Long;
        default: return Length::Both;
      }
    case Map::Two3a:
      switch (i.opcode) {
        case 0x00:
        case 0x01:
        case 0x06:
        case 0x18:
        case 0x19:
        case 0x38:
        case 0x39:
        case 0x46: return Length::Long;
        case 0x0a:
        case 0x0b:
        case 0x21:
        case 0x41:
        case 0x44: return Length::Short;
        default: return Length::Both;
      }
    default: return Length::Both;
  }
}

}  // namespace

void Generator::vector() {
  using Shape = VectorForm::Shape;
  using Coding = VectorForm::Coding;
  const std::span<const VectorForm> forms = vector_forms();
  const VectorForm& form = forms[random_.below(forms.size())];
  if (form.coding == Coding::Vex && !cpu_.avx2) return;
  Instruction i{.mandatory = prefix_of(form.prefixes), .map = form.map, .modrm = true};
  i.opcode = static_cast<std::uint8_t>(form.first + random_.below(form.last - form.first + 1u));
  const bool mmx = form.mmx && i.mandatory == 0;
  i.vex = form.coding == Coding::Vex ||
          (form.coding == Coding::Either && cpu_.avx2 && !mmx && random_.once_in(2));
  const bool general =
      form.shape != Shape::Three && form.shape != Shape::Two && form.shape != Shape::Store;
  const Length length = length_of(i, form);
  const bool longer = length == Length::Long || (length == Length::Both && random_.once_in(2));
  i.long_vector = i.vex && !general && longer;
  if (i.map == Map::Two3a && i.opcode <= 1) i.wide = true;  // VPERMQ, VPERMPD
  if (i.vex && (form.shape == Shape::Three || form.shape == Shape::FromGeneral3)) {
    i.vvvv = static_cast<std::uint8_t>(random_.below(16));
  }
  i.is_memory =
      form.where == Where::MemoryOnly || (form.where != Where::RegisterOnly && random_.once_in(2));
  const std::uint64_t registers = mmx ? 8 : 16;
  i.reg = form.shape == Shape::ToGeneral ? writable()
                                         : static_cast<std::uint8_t>(random_.below(registers));
  if (i.is_memory) {
    choose_memory(i, i.long_vector ? 32 : mmx ? 8 : 16);
  } else {
    i.rm = form.shape == Shape::FromGeneral || form.shape == Shape::FromGeneral3 ? any()
           : form.shape == Shape::StoreGeneral
               ? writable()
               : static_cast<std::uint8_t>(random_.below(registers));
  }
  const bool double_forms = form.coding == Coding::Vex && i.map == Map::Two38 && i.opcode >= 0x8c;
  if (general || double_forms) i.wide = random_.once_in(3);
  i.immediate_bytes = form.immediate;
  i.immediate = immediate();
  code_.write(i);
}

// Shifts by an immediate: the reg field says which.
void Generator::shift_vector() {
  static constexpr std::uint8_t words[] = {2, 4, 6}, quads[] = {2, 3, 6, 7}, quads_mmx[] = {2, 6};
  Instruction i{.map = Map::Two, .modrm = true, .immediate_bytes = 1};
  i.opcode = static_cast<std::uint8_t>(0x71 + random_.below(3));
  i.mandatory = random_.once_in(3) ? 0 : 0x66;
  const bool mmx = i.mandatory == 0;
  i.reg = i.opcode != 0x73 ? random_.of(words) : mmx ? random_.of(quads_mmx) : random_.of(quads);
  i.rm = static_cast<std::uint8_t>(random_.below(mmx ? 8 : 16));
  i.vex = cpu_.avx2 && !mmx && random_.once_in(2);
  i.vvvv = i.vex ? static_cast<std::uint8_t>(random_.below(16)) : 0;
  i.long_vector = i.vex && random_.once_in(2);
  i.immediate = random_.below(80);
  code_.write(i);
}

void Generator::odd_vector() {
  switch (random_.below(6)) {
    case 0: return code_.bytes(0x0f, 0x77);  // EMMS
    case 1:
      if (cpu_.avx) code_.bytes(0xc5, random_.once_in(2) ? 0xf8 : 0xfc, 0x77);  // VZEROUPPER, -ALL
      return;
    case 2: {  // MASKMOVDQU, MASKMOVQ write to [RDI]
      address(7, place(1));
      if (random_.once_in(2)) code_.byte(0x66);
      return code_.bytes(0x0f, 0xf7, 0xc0 | random_.below(64));
    }
    case 3: {  // CVTPI2PS, CVTPS2PI and their like: between MMX and vector registers
      Instruction i{.mandatory = prefix_of(np | p66), .map = Map::Two};
      static constexpr std::uint8_t conversions[] = {0x2a, 0x2c, 0x2d};
      i.opcode = random_.of(conversions);
      i.reg = low_vector();
      choose_memory(i, 16);
      return code_.write(i);
    }
    case 4: {  // VPGATHERDD and its like; not with register 4 as index: QEMU 7.2 takes that for
               // none
      if (!cpu_.avx2) return;
      const auto target = static_cast<std::uint8_t>(random_.below(4));
      const auto index = static_cast<std::uint8_t>(5 + random_.below(4));
      const auto mask = static_cast<std::uint8_t>(9 + random_.below(4));
      const bool kept = random_.once_in(2);  // the index made small: VPSRLD by 24
      if (kept) {
        code_.write({.mandatory = 0x66,
                     .map = Map::Two,
                     .opcode = 0x72,
                     .modrm = true,
                     .reg = 2,
                     .rm = index,
                     .immediate_bytes = 1,
                     .immediate = 24,
                     .vex = true,
                     .long_vector = true,
                     .vvvv = index});
      }
      code_.write(
          {.wide = random_.once_in(2),
           .mandatory = 0x66,
           .map = Map::Two38,
           .opcode = static_cast<std::uint8_t>(0x90 + 2 * random_.below(2)),
           .modrm = true,
           .is_memory = true,
           .reg = target,
           .memory = {.index = index, .vector_index = true, .displacement = random_.below(64)},
           .vex = true,
           .long_vector = random_.once_in(2),
           .vvvv = mask});
      return;
    }
    default: {  // LDMXCSR of a value made on the spot, mostly with exceptions masked; STMXCSR
      const std::uint64_t where = place(4);
      const std::uint64_t value = random_.next() & 0xffff;
      Instruction i{.opcode = 0xc7,
                    .immediate_bytes = 4,
                    .immediate = random_.once_in(8) ? value : value | 0x1f80};
      use_memory(i, where);
      code_.write(i);
      i = {.map = Map::Two, .opcode = 0xae, .reg = static_cast<std::uint8_t>(2 + random_.below(2))};
      use_memory(i, where);
      code_.write(i);
    }
  }
}

namespace {

// The register forms that exist, by opcode: a bit for each second byte from C0 on (Intel SDM Vol.
// 2D, A.5).
constexpr std::uint64_t bits(unsigned first, unsigned last) {
  return (~0ull >> (63 - (last - first))) << (first - 0xc0);
}
constexpr std::uint64_t x87_forms[] = {
    ~0ull,
    bits(0xc0, 0xd0) | bits(0xe0, 0xe1) | bits(0xe4, 0xe5) | bits(0xe8, 0xee) | bits(0xf0, 0xff),
    bits(0xc0, 0xdf) | bits(0xe9, 0xe9),
    bits(0xc0, 0xdf) | bits(0xe2, 0xe3) | bits(0xe8, 0xf7),
    bits(0xc0, 0xcf) | bits(0xe0, 0xff),
    bits(0xc0, 0xc7) | bits(0xd0, 0xef),
    bits(0xc0, 0xcf) | bits(0xd9, 0xd9) | bits(0xe0, 0xff),
    bits(0xe0, 0xe0) | bits(0xe8, 0xf7),
};

}  // namespace

// Any x87 instruction; those that load a control word or all of the state read what was just
// stored, or else every stream would end at the next one with a pending exception.
void Generator::x87() {
  const std::uint64_t opcode = 0xd8 + random_.below(8);
  const auto digit = static_cast<std::uint8_t>(random_.below(8));
  if (random_.once_in(2)) {
    std::uint64_t operation = random_.below(64);
    while ((x87_forms[opcode & 7] >> operation & 1) == 0) operation = random_.below(64);
    return code_.bytes(opcode, 0xc0 | operation);
  }
  const bool environment = opcode == 0xd9 && (digit == 4 || digit == 6);
  const bool all = opcode == 0xdd && (digit == 4 || digit == 6),
             control = opcode == 0xd9 && digit == 5;
  const bool none = (opcode == 0xd9 && digit == 1) || (opcode == 0xdd && digit == 5) ||
                    (opcode == 0xdb && (digit == 4 || digit == 6));
  if (none) return;
  const std::uint64_t where = place(8);
  if (environment || all) return save_x87(static_cast<std::uint8_t>(opcode), digit == 4, where);
  Instruction i{.opcode = static_cast<std::uint8_t>(opcode), .reg = digit};
  if (control) {
    Instruction save = i;
    save.reg = 7;
    use_memory(save, where);
    code_.write(save);
  }
  use_memory(i, where);
  code_.write(i);
}

// FNSTENV or FNSAVE, and FLDENV or FRSTOR. What is stored of the last instruction's and operand's
// addresses depends on where PEs ended, for they begin anew with each: it is wiped out.
void Generator::save_x87(std::uint8_t opcode, bool and_load, std::uint64_t where) {
  code_.write(at_plain({.opcode = opcode, .reg = 6}, where));
  for (const unsigned offset : {12, 20}) {
    code_.write(at_plain({.wide = true, .opcode = 0xc7, .immediate_bytes = 4}, where + offset));
  }
  if (and_load) code_.write(at_plain({.opcode = opcode, .reg = 4}, where));
}

// FXSAVE, XSAVE and their way back, from an image that was just made. What cannot be loaded is
// mended: MXCSR bits that do not exist, which QEMU 7.2 takes, and what a header must not have.
void Generator::extended_state() {
  const bool xsave = cpu_.xsave && random_.once_in(2);
  const std::uint64_t image = arena + 0x800 + 64 * random_.below(16);
  const bool wide = random_.once_in(2);
  const auto components = [&] {
    if (!xsave) return;
    move(2, 0);
    move(0, random_.below(8));
  };
  const auto store = [&](std::uint64_t offset, std::uint64_t value, bool quad) {
    code_.write(at_plain({.wide = quad, .opcode = 0xc7, .immediate_bytes = 4, .immediate = value},
                         image + offset));
  };
  Instruction i{.wide = wide, .map = Map::Two, .opcode = 0xae};
  components();
  i.reg = xsave ? (random_.once_in(3) ? 6 : 4) : 0;  // XSAVEOPT, XSAVE, FXSAVE
  code_.write(at_plain(i, image));
  if (random_.once_in(2)) one();
  constexpr std::uint64_t mxcsr = 24, header = 512;
  store(mxcsr, 0x1f80 | (random_.next() & 0xe07f), false);
  for (std::uint64_t word = 0; xsave && word < 8; ++word) {
    store(header + 8 * word, word == 0 ? random_.below(8) : 0, true);
  }
  components();
  i.reg = xsave ? 5 : 1;
  code_.write(at_plain(i, image));
}
