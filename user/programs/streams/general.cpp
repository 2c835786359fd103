// General registers: arithmetic, logic, bits, moves.
#include "user/programs/streams/generator.hpp"

void Generator::integer() {
  const std::span<const Form> forms = integer_forms();
  const Form& form = forms[random_.below(forms.size())];
  Instruction i{.mandatory = prefix_of(form.prefixes), .map = form.map};
  i.opcode = static_cast<std::uint8_t>(form.first + random_.below(form.last - form.first + 1u));
  choose_size(i, form.size);
  choose_operand(i, form.facts);
  if (form.digits == 0) {
    i.reg = (form.facts & writes_reg) != 0 ? writable() : any();
  } else {
    do i.reg = static_cast<std::uint8_t>(random_.below(8));
    while ((form.digits >> i.reg & 1) == 0);
  }
  if (i.lock && i.reg == 7 && form.digits == 0xff) i.lock = false;  // CMP
  i.immediate_bytes = form.immediate == 4 && i.operand16 ? 2 : form.immediate;
  i.immediate = immediate();
  if ((form.facts & flags_first) != 0) flags_in_memory();
  if (i.is_memory && (form.facts & stores_flags) != 0) written_before(i);
  code_.write(i);
}

// ADD OR ADC SBB AND SUB XOR CMP between a register and a register or memory.
void Generator::arithmetic() {
  const std::uint64_t operation = random_.below(8), way = random_.below(4);
  const bool to_rm = way < 2;
  Instruction i{.opcode = static_cast<std::uint8_t>(operation << 3 | way)};
  choose_size(i, (way & 1) == 0 ? Size::Byte : Size::Word);
  choose_operand(i, to_rm ? writes_rm | lockable : 0);
  if (operation == 7) i.lock = false;
  i.reg = to_rm ? any() : writable();
  code_.write(i);
}

// Forms without ModRM: AL, AX, EAX, RAX and an immediate, conversions, BSWAP, XLAT.
void Generator::accumulator() {
  Instruction i{};
  switch (random_.below(6)) {
    case 0:
    case 1:
      i.opcode = static_cast<std::uint8_t>(random_.below(8) << 3 | 4 | random_.below(2));
      break;
    case 2: i.opcode = static_cast<std::uint8_t>(0xa8 + random_.below(2)); break;  // TEST
    case 3:
      i.opcode = static_cast<std::uint8_t>(0x98 + random_.below(2));  // CBW, CWD and the like
      choose_size(i, Size::Word);
      return code_.write(i);
    case 4:
      i.map = Map::Two;
      i.rm = writable();
      i.opcode = static_cast<std::uint8_t>(0xc8 | (i.rm & 7));
      choose_size(i, Size::Long);
      return code_.write(i);
    default: address(3, place(1)); return code_.byte(0xd7);  // XLAT
  }
  if ((i.opcode & 1) != 0) choose_size(i, Size::Word);
  i.immediate_bytes = (i.opcode & 1) == 0 ? 1 : i.operand16 ? 2 : 4;
  i.immediate = immediate();
  code_.write(i);
}

// DIV or IDIV, mostly with a dividend that is small enough.
void Generator::divide() {
  if (!random_.once_in(3)) {
    move(2, 0);
    move(0, random_.next());
  }
  Instruction i{.opcode = static_cast<std::uint8_t>(0xf6 + random_.below(2))};
  choose_size(i, Size::Word);
  choose_operand(i, 0);
  i.reg = static_cast<std::uint8_t>(6 + random_.below(2));
  code_.write(i);
}

// BMI1, BMI2: VEX forms with general registers.
void Generator::bit_manipulation() {
  struct Vex {
    std::uint8_t opcode, prefix, digit;
  };
  static constexpr Vex table[] = {
      {0xf2, 0, 0}, {0xf3, 0, 1},    {0xf3, 0, 2},    {0xf3, 0, 3},     // ANDN BLSR BLSMSK BLSI
      {0xf5, 0, 0}, {0xf5, 0xf3, 0}, {0xf5, 0xf2, 0}, {0xf6, 0xf2, 0},  // BZHI PEXT PDEP MULX
      {0xf7, 0, 0}, {0xf7, 0x66, 0}, {0xf7, 0xf3, 0}, {0xf7, 0xf2, 0},  // BEXTR, shifts
  };
  const Vex& chosen = random_.of(table);
  Instruction i{.wide = random_.once_in(2),
                .mandatory = chosen.prefix,
                .map = Map::Two38,
                .opcode = chosen.opcode,
                .vex = true};
  choose_operand(i, 0);
  i.reg = chosen.digit != 0 ? chosen.digit : writable();
  i.vvvv = writable();       // written by some
  if (random_.once_in(8)) {  // RORX
    i.map = Map::Two3a;
    i.opcode = 0xf0;
    i.mandatory = 0xf2;
    i.reg = writable();
    i.vvvv = 0;
    i.immediate_bytes = 1;
    i.immediate = immediate();
  }
  code_.write(i);
}

void Generator::move_immediate() {
  const std::uint8_t reg = writable();
  const bool wide = random_.once_in(2), byte = random_.once_in(6);
  code_.write({.wide = wide && !byte,
               .opcode = static_cast<std::uint8_t>((byte ? 0xb0 : 0xb8) | (reg & 7)),
               .rm = reg,
               .immediate_bytes = static_cast<std::uint8_t>(byte   ? 1
                                                            : wide ? 8
                                                                   : 4),
               .immediate = immediate()});
}
