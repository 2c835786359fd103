// Instructions that need others around them: strings with their registers, stack, flags, jumps.
#include "user/programs/streams/generator.hpp"

// MOVS CMPS STOS LODS SCAS, without a prefix, with REP, with REPNE.
void Generator::string() {
  static constexpr std::uint8_t opcodes[] = {0xa4, 0xa6, 0xaa, 0xac, 0xae};
  static constexpr std::uint8_t repeats[] = {0, 0xf3, 0xf3, 0xf2};
  const std::uint8_t repeat = random_.of(repeats);
  if (!random_.once_in(50)) address(6, place(1));
  if (!random_.once_in(50)) address(7, place(1));
  if (random_.once_in(6)) code_.byte(0xfc | random_.below(2));  // CLD, STD
  if (repeat != 0 && !random_.once_in(20)) move(1, random_.below(random_.once_in(8) ? 1500 : 60));
  if (random_.once_in(6)) code_.byte(0x67);
  if (repeat != 0) code_.byte(repeat);
  const std::uint64_t size = random_.below(4);
  if (size == 1) code_.byte(0x66);
  if (size == 3) code_.byte(0x48);
  code_.byte(random_.of(opcodes) | (size == 0 ? 0u : 1u));
}

void Generator::stack() {
  const std::uint8_t reg = writable();
  const auto byte_of = [](std::uint8_t r) { return r & 7u; };
  if (random_.once_in(6)) address(rsp, place(8));
  switch (random_.below(8)) {
    case 0:
    case 1:  // PUSH r, or of 16 bits
      if (random_.once_in(6)) code_.byte(0x66);
      if (reg > 7) code_.byte(0x41);
      return code_.byte(0x50 | byte_of(reg));
    case 2:
    case 3:
      if (random_.once_in(6)) code_.byte(0x66);
      if (reg > 7) code_.byte(0x41);
      return code_.byte(0x58 | byte_of(reg));
    case 4: {  // PUSH imm8, imm32
      const bool brief = random_.once_in(2);
      code_.byte(brief ? 0x6a : 0x68);
      return code_.number(immediate(), brief ? 1 : 4);
    }
    case 5: {  // PUSH m, POP m
      const bool push = random_.once_in(2);
      Instruction i{.opcode = static_cast<std::uint8_t>(push ? 0xff : 0x8f),
                    .reg = static_cast<std::uint8_t>(push ? 6 : 0)};
      choose_memory(i, 8);
      return code_.write(i);
    }
    case 6:  // ENTER, LEAVE
      code_.byte(0xc8);
      code_.number(random_.below(64), 2);
      code_.byte(random_.below(4));
      if (random_.once_in(2)) one();
      return code_.byte(0xc9);
    default:  // PUSH FS, POP FS and GS
      code_.bytes(0x0f, random_.once_in(2) ? 0xa0 : 0xa8);
      return code_.bytes(0x0f, random_.once_in(2) ? 0xa1 : 0xa9);
  }
}

// A NOP behind each POPF: TF may be on, and then the trap comes behind what follows.
void Generator::flags() {
  static constexpr std::uint8_t simple[] = {0xf5, 0xf8, 0xf9, 0xfc, 0xfd, 0x9e, 0x9f};
  static constexpr std::uint32_t bits[] = {0x001,  0x004,   0x010,    0x040,  0x080, 0x400,  0x800,
                                           0x4000, 0x40000, 0x200000, 0x3000, 0x200, 0x10000};
  switch (random_.below(5)) {
    case 0: return code_.byte(0x9c);  // PUSHF
    case 1: {                         // PUSHF, a bit changed, POPF
      const std::uint32_t bit = random_.once_in(20) ? 0x100 : random_.of(bits);
      code_.bytes(0x9c, 0x81, random_.once_in(2) ? 0x34 : 0x0c, 0x24);  // XOR, OR [RSP], imm32
      code_.number(bit, 4);
      return code_.bytes(0x9d, 0x90);
    }
    case 2:
      if (random_.once_in(4)) code_.bytes(0x9d, 0x90);  // POPF of whatever lies there
      return;
    default: return code_.byte(random_.of(simple));
  }
}

// Over the next few instructions, forward only, so that each stream comes to its end; or a counted
// loop of its own.
void Generator::jump() {
  const auto over_some = [this](std::uint64_t behind, unsigned bytes) {
    const std::uint64_t count = 1 + random_.below(2);
    if (bytes > 1) {
      for (std::uint64_t i = 0; i < count; ++i) one();
    } else {  // within 127 bytes
      for (std::uint64_t i = 0; i < count; ++i) arithmetic();
    }
    code_.lead_here(behind, bytes);
  };
  switch (random_.below(6)) {
    case 0:
    case 1:  // Jcc rel8
      code_.bytes(0x70 | random_.below(16), 0);
      return over_some(code_.here(), 1);
    case 2:  // Jcc rel32
      code_.bytes(0x0f, 0x80 | random_.below(16), 0, 0, 0, 0);
      return over_some(code_.here(), 4);
    case 3:  // JRCXZ, JMP rel8
      code_.bytes(random_.once_in(2) ? 0xe3 : 0xeb, 0);
      return over_some(code_.here(), 1);
    case 4: {  // LOOP, LOOPE, LOOPNE
      move(1, 1 + random_.below(300));
      const std::uint64_t top = code_.here();
      if (random_.once_in(2)) code_.bytes(0xf3, 0x90);    // PAUSE
      code_.bytes(0x48, 0xff, 0xc0u + random_.below(1));  // INC RAX
      code_.byte(0xe0 | random_.below(3));
      return code_.byte(top - (code_.here() + 1));
    }
    default: {  // JMP r and JMP m: LEA RAX, [RIP + x], then by RAX or by the stack's top
      code_.bytes(0x48, 0x8d, 0x05, 0, 0, 0, 0);
      const std::uint64_t behind = code_.here();
      if (random_.once_in(2)) {
        code_.bytes(0xff, 0xe0);
      } else {
        code_.bytes(0x50, 0xff, 0x24, 0x24);
      }
      return over_some(behind, 4);
    }
  }
}

void Generator::call() {
  const auto function = [this](std::uint64_t behind, unsigned bytes) {
    code_.bytes(0xeb, 0);  // JMP over the function
    const std::uint64_t over = code_.here();
    code_.lead_here(behind, bytes);
    arithmetic();
    if (random_.once_in(3)) {
      code_.bytes(0xc2, random_.below(16), 0);  // RET imm16
    } else {
      code_.byte(0xc3);
    }
    code_.lead_here(over, 1);
  };
  switch (random_.below(4)) {
    case 0:
    case 1: code_.bytes(0xe8, 0, 0, 0, 0); return function(code_.here(), 4);
    case 2: {
      code_.bytes(0x48, 0x8d, 0x05, 0, 0, 0, 0);
      const std::uint64_t behind = code_.here();
      code_.bytes(0xff, 0xd0);
      return function(behind, 4);
    }
    default: {  // PUSH of an address, RET
      code_.bytes(0x48, 0x8d, 0x05, 0, 0, 0, 0);
      const std::uint64_t behind = code_.here();
      code_.bytes(0x50, 0xc3);
      arithmetic();
      code_.lead_here(behind, 4);
    }
  }
}

// CMPXCHG8B, CMPXCHG16B; CMPXCHG that succeeds: RAX is loaded from where it compares.
void Generator::exchange() {
  const bool sixteen = cpu_.cmpxchg16b && random_.once_in(2);
  if (random_.once_in(3)) {
    const std::uint64_t where = place(8);
    code_.write({.wide = true,
                 .opcode = 0x8b,
                 .modrm = true,
                 .is_memory = true,
                 .reg = 0,
                 .memory = {.displacement = where - arena_r15}});
    return code_.write({.lock = random_.once_in(2),
                        .wide = true,
                        .map = Map::Two,
                        .opcode = 0xb1,
                        .modrm = true,
                        .is_memory = true,
                        .reg = any(),
                        .memory = {.displacement = where - arena_r15}});
  }
  Instruction i{
      .lock = random_.once_in(2), .wide = sixteen, .map = Map::Two, .opcode = 0xc7, .reg = 1};
  choose_memory(i, 16);
  new_block();
  code_.write(i);
}
