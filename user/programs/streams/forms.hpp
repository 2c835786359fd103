// Tables of the instructions with a ModRM operand: one row for each family with the same encoding,
// and the CPUID feature that it needs. Source: Intel SDM Vol. 2D, appendix A.
#pragma once

#include <cstdint>
#include <span>

#include "user/programs/streams/encoder.hpp"

enum class Where : std::uint8_t { Both, MemoryOnly, RegisterOnly };

// Mandatory prefixes, one of which is chosen.
inline constexpr std::uint8_t np = 1, p66 = 2, pf3 = 4, pf2 = 8;

enum class Size : std::uint8_t {
  Byte,
  Word,  // 16, 32 or 64 bits
  Long,  // 32 or 64
  Quad,
  Fixed,  // said by the opcode
};

// Facts about the operands of a Form.
inline constexpr std::uint8_t writes_reg = 1, writes_rm = 2, memory_only = 4, register_only = 8,
                              lockable = 16;
// What to do against QEMU's ways with flags: Generator::flags_in_memory, Generator::written_before.
inline constexpr std::uint8_t flags_first = 32, stores_flags = 64;

struct Form {
  Map map;
  std::uint8_t first, last;  // opcodes
  std::uint8_t prefixes;
  Size size;
  std::uint8_t facts = 0;
  std::uint8_t digits = 0;     // those that the reg field may be, one bit each; 0: it is a register
  std::uint8_t immediate = 0;  // bytes; 4: as the operand size
};

struct VectorForm {
  Map map;
  std::uint8_t first, last;
  std::uint8_t prefixes;
  enum class Shape : std::uint8_t {
    Three,  // with VEX a source more than without
    Two,
    Store,         // rm is written
    ToGeneral,     // reg is a general register
    FromGeneral,   // rm is a general register or memory
    StoreGeneral,  // rm is a general register or memory, and written
    FromGeneral3,  // with VEX a source more
  } shape;
  enum class Coding : std::uint8_t { Legacy, Either, Vex } coding = Coding::Either;
  std::uint8_t immediate = 0;
  Where where = Where::Both;
  bool mmx = false;  // without prefix the registers are MMX, and there is no VEX form
};

std::span<const Form> integer_forms();
std::span<const VectorForm> vector_forms();
