// What fault the plugin makes: the text behind its name on QEMU's command line, and the arithmetic
// of fault models. Knows nothing of QEMU; plugin.cpp carries it out. README.md has the arguments.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fault {

enum class Model {
  Single,  // one bit
  Pair,    // this bit and the next higher one
  Byte,    // the eight bits of the byte that has this bit
  Stuck,   // one bit keeps its wrong value for some instructions
};

// A register that a fault can hit. Wide registers have more than one word.
struct Target {
  std::string_view name;
  int number;                  // as QEMU's gdb stub counts; for vector registers that of XMM0
  unsigned bits;               // 1 to 256
  std::uint64_t existing = 0;  // RFLAGS: the bits that exist; 0: all
};

// "rax" ... "r15", "rip", "rflags", "fs_base" ... "cr4", "efer", "mxcsr", "xmm0", "ymm0" ...
struct Register {
  Target target;
  unsigned vector = 0;  // N of xmmN and ymmN
};
[[nodiscard]] std::optional<Register> find_register(std::string_view name);

// Targets that are no registers.
inline constexpr std::string_view kMemory = "memory", kPageTables = "page-tables";

struct Arguments {
  std::string report;                 // file that gets what happened
  std::uint64_t marker = 0;           // virtual address whose first execution is instruction 0
  std::vector<std::uint8_t> code;     // what stands there; empty: anything
  std::uint64_t at = 0;               // instructions from the marker on; 0: no fault
  std::uint64_t limit = 0;            // ends QEMU after so many; 0: never
  std::string watch;                  // file with what is watched (watch.hpp); empty: nothing
  std::string target;                 // name of a register, or one of the two above
  std::optional<Register> register_;  // nothing: memory
  std::uint64_t address = 0;          // of a word of memory: physical, a multiple of 8
  std::uint64_t draw = 0;             // chooses a word of the page tables
  unsigned bit = 0;
  Model model = Model::Single;
  std::uint64_t duration = 1;  // of a stuck bit, in instructions
};

// Nothing, after a line on stderr: an argument is unknown or malformed, or does not go with
// another.
[[nodiscard]] std::optional<Arguments> parse_arguments(int count, char** texts);

// As many words as the widest register.
using Words = std::array<std::uint64_t, 4>;

// The bits that the fault changes, of a place that has `bits` bits. A pair at the highest bit is
// the highest two.
[[nodiscard]] Words mask_of(Model model, unsigned bit, unsigned bits);

}  // namespace fault
