// Writes instructions as bytes: prefixes, opcode map, ModRM, SIB, displacement, immediate (Intel
// SDM Vol. 2A §2). It does not check the result: the generator is responsible for valid
// instructions.
#pragma once

#include <cstddef>
#include <cstdint>

enum class Map : std::uint8_t { One, Two, Two38, Two3a };  // opcode maps: none, 0F, 0F 38, 0F 3A

inline constexpr std::uint8_t rsp = 4, r13 = 13, r14 = 14, r15 = 15;  // registers by number

struct Memory {
  enum class Base : std::uint8_t { Register, Absolute, Relative };  // Relative: to RIP
  Base base = Base::Register;
  std::uint8_t base_register = r15;
  std::uint8_t index = rsp;  // rsp: none
  std::uint8_t scale = 0;    // as a power of two
  bool vector_index = false;
  std::uint64_t displacement = 0;  // 32 bits, signed; Absolute and Relative: the address itself
};

struct Instruction {
  std::uint8_t segment = 0;  // 64h, 65h...; 0: none
  bool lock = false, narrow_address = false, operand16 = false, wide = false;
  std::uint8_t mandatory = 0;  // 66h, F2h, F3h
  Map map = Map::One;
  std::uint8_t opcode = 0;
  bool modrm = false, is_memory = false;
  std::uint8_t reg = 0, rm = 0;
  Memory memory{};
  std::uint8_t immediate_bytes = 0;
  std::uint64_t immediate = 0;
  bool vex = false, long_vector = false;
  std::uint8_t vvvv = 0;  // the register, as it counts
};

class Encoder {
public:
  Encoder(std::uint8_t* begin, std::uint8_t* end) : at_{begin}, end_{end} {}

  void write(const Instruction& instruction);
  void byte(std::uint64_t value) {
    if (at_ < end_) *at_ = static_cast<std::uint8_t>(value);
    ++at_;
  }
  void number(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) byte(value >> 8 * i);
  }
  template <class... Bytes>
  void bytes(Bytes... values) {
    (byte(static_cast<std::uint64_t>(values)), ...);
  }
  void jump(std::uint64_t target) {  // JMP rel32
    byte(0xe9);
    number(target - (here() + 4), 4);
  }
  [[nodiscard]] std::uint64_t here() const { return reinterpret_cast<std::uint64_t>(at_); }
  // A relative jump or call of `bytes` that was written ending at `behind` leads here.
  void lead_here(std::uint64_t behind, unsigned bytes) {
    auto* const place = reinterpret_cast<std::uint8_t*>(behind - bytes);
    for (unsigned i = 0; i < bytes; ++i) {
      place[i] = static_cast<std::uint8_t>((here() - behind) >> 8 * i);
    }
  }
  [[nodiscard]] bool has_room(std::size_t bytes) const {
    return end_ > at_ && static_cast<std::size_t>(end_ - at_) >= bytes;
  }

private:
  void prefixes(const Instruction& i);
  void vex_prefix(const Instruction& i);
  void operand(const Instruction& i);

  std::uint8_t* at_;
  std::uint8_t* end_;
};
