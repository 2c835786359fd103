#include "user/programs/streams/generator.hpp"

#include "user/lib/instructions.hpp"

Cpu Cpu::here() {
  const user::CpuidResult basic = user::cpuid(1), more = user::cpuid(7);
  const bool xsave = (basic.ecx & 1u << 27) != 0;
  const bool ymm = xsave && (user::enabled_state() & 6) == 6;
  return {.avx = ymm && (basic.ecx & 1u << 28) != 0,
          .avx2 = ymm && (more.ebx & 1u << 5) != 0,
          .fsgsbase = (more.ebx & 1) != 0,
          .xsave = xsave,
          .cmpxchg16b = (basic.ecx & 1u << 13) != 0};
}

void Generator::stream(std::uint64_t end) {
  const std::uint64_t instructions = 8 + random_.below(57);
  const bool loops = random_.once_in(4);
  if (loops) move(r13, 1 + random_.below(400));
  const std::uint64_t top = code_.here();
  if (loops) address(rsp, arena_stack);
  for (std::uint64_t i = 0; i < instructions; ++i) one();
  if (loops) {
    code_.bytes(0x49, 0xff, 0xcd);  // DEC R13; JNZ top
    code_.bytes(0x0f, 0x85);
    code_.number(top - (code_.here() + 4), 4);
  }
  code_.jump(end);
}

void Generator::one() {
  using Maker = void (Generator::*)();
  struct Share {
    std::uint16_t of_1000;
    Maker make;
  };
  static constexpr Share shares[] = {
      {220, &Generator::integer},
      {130, &Generator::arithmetic},
      {30, &Generator::accumulator},
      {5, &Generator::divide},
      {35, &Generator::bit_manipulation},
      {40, &Generator::move_immediate},
      {220, &Generator::vector},
      {20, &Generator::shift_vector},
      {20, &Generator::odd_vector},
      {60, &Generator::x87},
      {14, &Generator::extended_state},
      {35, &Generator::string},
      {40, &Generator::stack},
      {30, &Generator::flags},
      {25, &Generator::jump},
      {14, &Generator::call},
      {14, &Generator::exchange},
      {8, &Generator::segment},
      {6, &Generator::bases},
      {3, &Generator::far},
      {8, &Generator::query},
      {12, &Generator::hint},
      {2, &Generator::system_call},
      {6, &Generator::fault},
  };
  std::uint64_t total = 0;
  for (const Share& share : shares) total += share.of_1000;
  std::uint64_t chosen = random_.below(total);
  for (const Share& share : shares) {
    if (chosen < share.of_1000) return (this->*share.make)();
    chosen -= share.of_1000;
  }
}

std::uint8_t Generator::writable() {
  const auto chosen = static_cast<std::uint8_t>(random_.below(12));  // RSP, R13 to R15 are not
  return chosen < rsp ? chosen : chosen + 1;
}

std::uint64_t Generator::place(std::uint64_t alignment) {
  if (random_.once_in(300)) return arena + arena_bytes - 128 + random_.below(4400);  // may fault
  if (random_.once_in(60)) alignment = 1;
  const std::uint64_t page_end = random_.once_in(10) ? 0x1000 - 32 : 0;  // across two pages
  const std::uint64_t room = page_end != 0 ? 64 : 0x700;
  return (arena + 0x800 + 0x1000 * random_.below(2) + page_end + random_.below(room)) &
         ~(alignment - 1);
}

std::uint64_t Generator::immediate() {
  static constexpr std::uint64_t special[] = {0, 1, ~0ull, 0x80, 0x7f, 0x8000, 0x7fffffff, 31, 64};
  return random_.once_in(3) ? random_.of(special) : random_.next();
}

std::uint8_t Generator::prefix_of(std::uint8_t choices) {
  static constexpr std::uint8_t bytes[] = {0, 0x66, 0xf3, 0xf2};
  for (;;) {
    const std::uint64_t chosen = random_.below(4);
    if ((choices >> chosen & 1) != 0) return bytes[chosen];
  }
}

void Generator::choose_size(Instruction& i, Size size) {
  const bool has_word = size == Size::Word && i.mandatory == 0;
  const std::uint64_t chosen = random_.below(has_word ? 4 : 3);
  if (size == Size::Byte || size == Size::Fixed) return;
  i.wide = chosen == 1 || size == Size::Quad;
  i.operand16 = chosen == 3;
}

void Generator::choose_operand(Instruction& i, std::uint8_t facts) {
  i.modrm = true;
  i.is_memory = (facts & memory_only) != 0 || ((facts & register_only) == 0 && random_.once_in(2));
  if (i.is_memory) {
    choose_memory(i, 1);
    i.lock = (facts & lockable) != 0 && random_.once_in(4);
  } else {
    i.rm = (facts & writes_rm) != 0 ? writable() : any();
  }
}

Instruction Generator::at_plain(Instruction i, std::uint64_t address) {
  i.modrm = i.is_memory = true;
  i.memory = {.displacement = address - arena_r15};
  return i;
}

// All ways to say an address, with prefixes for address size and segment.
void Generator::choose_memory(Instruction& i, std::uint64_t alignment) {
  use_memory(i, place(alignment));
}

void Generator::use_memory(Instruction& i, std::uint64_t address) {
  i.modrm = i.is_memory = true;
  Memory& m = i.memory;
  switch (random_.below(12)) {
    case 0: m = {.base = Memory::Base::Absolute, .displacement = address}; break;
    case 1: m = {.base = Memory::Base::Relative, .displacement = address}; break;
    case 2: i.narrow_address = true; [[fallthrough]];
    case 3: m = {.base_register = r14, .displacement = address - arena_r14}; break;
    case 4:
    case 5: {  // an index is made small just before
      const std::uint8_t index = writable();
      const auto scale = static_cast<std::uint8_t>(random_.below(4));
      code_.bytes(0x40u | (index > 7 ? 5u : 0u), 0x0f, 0xb6, 0xc0u | (index & 7u) * 9u);  // MOVZX
      m = {.base_register = r15,
           .index = index,
           .scale = scale,
           .displacement = address - arena_r15 - (std::uint64_t{0x40} << scale)};
      break;
    }
    case 6:
      if (cpu_.fsgsbase && random_.once_in(2)) {  // FS and GS begin with a base of 0
        i.segment = random_.once_in(2) ? 0x64 : 0x65;
      }
      m = {.displacement = address - arena_r15};
      break;
    case 7:
      if (random_.once_in(30)) {  // anywhere
        m = {.base_register = any(), .displacement = random_.next() & 0x7fff};
        break;
      }
      [[fallthrough]];
    default: m = {.displacement = address - arena_r15};
  }
}

void Generator::move(std::uint8_t reg, std::uint64_t value) {  // MOV r32, imm32
  if (reg > 7) code_.byte(0x41);
  code_.byte(0xb8u | (reg & 7u));
  code_.number(value, 4);
}

void Generator::address(std::uint8_t reg, std::uint64_t value) {
  code_.write({.wide = true,
               .opcode = 0x8d,
               .modrm = true,
               .is_memory = true,
               .reg = reg,
               .memory = {.displacement = value - arena_r15}});
}

// QEMU 7.2 takes flags that an instruction leaves undefined from what stood before it in the same
// translation block, and where a block begins depends on where runs were stopped. Two ways to have
// them alike everywhere: CLC makes it compute all flags; behind a jump a block begins in any case.
void Generator::flags_in_memory() { code_.byte(0xf8); }
void Generator::new_block() { code_.bytes(0xeb, 0x00); }

// SETcc, RCL and RCR work flags out before they store, in QEMU 7.2; when the store faults, as the
// first to a page in a PE does, they are done again and take the result for what it was worked out
// from. NOT, twice, makes that first store and needs no flags.
void Generator::written_before(Instruction i) {
  if (i.map == Map::One) {
    i.opcode = static_cast<std::uint8_t>(0xf6 | (i.opcode & 1));
  } else {  // SETcc, of a byte
    i.map = Map::One;
    i.opcode = 0xf6;
  }
  i.reg = 2;
  i.immediate_bytes = 0;
  code_.write(i);
  code_.write(i);
}
