// Makes random streams of valid unprivileged instructions. At a stream's start R14, R15 and RSP
// point into the arena, and R13 counts the rounds of its loop. Only instructions made for it write
// these registers. So most accesses succeed, and the program handles the few faults. What is left
// out, and why: docs/fault-model.md.
#pragma once

#include <cstdint>

#include "user/programs/streams/encoder.hpp"
#include "user/programs/streams/forms.hpp"
#include "user/programs/streams/random.hpp"

// Where streams work: four pages to read and write, one to read behind them, nothing around.
inline constexpr std::uint64_t arena = 0x20000000, arena_bytes = 4 * 4096, arena_seen = 5 * 4096;
inline constexpr std::uint64_t arena_r15 = arena + 0x2000, arena_r14 = arena + 0x1800,
                               arena_stack = arena + 0x2c00;
inline constexpr std::uint8_t not_written[] = {rsp, r13, r14, r15};

struct Cpu {  // what it has
  bool avx, avx2, fsgsbase, xsave, cmpxchg16b;
  static Cpu here();
};

class Generator {
public:
  Generator(Random& random, Encoder& code, const Cpu& cpu)
      : random_{random}, code_{code}, cpu_{cpu} {}

  // One stream: 8 to 64 instructions, some in a loop, then a jump to `end`.
  void stream(std::uint64_t end);

private:
  void one();
  // general.cpp
  void integer();
  void arithmetic();
  void accumulator();
  void divide();
  void bit_manipulation();
  void move_immediate();
  // vectors.cpp
  void vector();
  void shift_vector();
  void odd_vector();
  void x87();
  void save_x87(std::uint8_t opcode, bool and_load, std::uint64_t where);
  void extended_state();
  // sequences.cpp
  void string();
  void stack();
  void flags();
  void jump();
  void call();
  void exchange();
  void segment();
  void bases();
  void far();
  // system.cpp
  void query();
  void hint();
  void system_call();
  void fault();

  std::uint8_t writable();  // a general register
  std::uint8_t any() { return static_cast<std::uint8_t>(random_.below(16)); }
  std::uint8_t low_vector() { return static_cast<std::uint8_t>(random_.below(8)); }
  void choose_size(Instruction& i, Size size);
  void choose_operand(Instruction& i, std::uint8_t facts);
  void choose_memory(Instruction& i, std::uint64_t alignment);
  void use_memory(Instruction& i, std::uint64_t address);
  static Instruction at_plain(Instruction i, std::uint64_t address);  // by R15
  std::uint64_t place(std::uint64_t alignment);                       // in the arena
  std::uint64_t immediate();
  std::uint8_t prefix_of(std::uint8_t choices);
  void move(std::uint8_t reg, std::uint64_t value);
  void address(std::uint8_t reg, std::uint64_t value);  // by LEA, which keeps the flags
  void flags_in_memory();
  void new_block();
  void written_before(Instruction i);

  Random& random_;
  Encoder& code_;
  Cpu cpu_;
};
