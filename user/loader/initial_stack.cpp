#include "user/loader/initial_stack.hpp"

#include <array>

#include "user/linux/native.hpp"

// user/linux/runtime.asm: EAX, EBX, ECX, EDX of a leaf.
extern "C" void read_cpuid(std::uint32_t leaf, std::uint32_t subleaf, std::uint32_t* out);

namespace loader {
namespace {

struct Auxiliary {
  std::uint64_t tag, value;
};

// Tags as Linux numbers them (getauxval(3), <elf.h>).
enum Tag : std::uint64_t {
  Null = 0,
  ProgramHeaders = 3,
  ProgramHeaderSize = 4,
  ProgramHeaderCount = 5,
  PageSize = 6,
  Base = 7,
  Flags = 8,
  Entry = 9,
  Uid = 11,
  Euid = 12,
  Gid = 13,
  Egid = 14,
  Hardware = 16,
  ClockTicks = 17,
  Secure = 23,
  Random = 25,
  ExecName = 31,
};

// Writes a pointer to each of `count` strings, then a null pointer; returns where the next string
// begins.
const char* point_to(const char* string, std::uint64_t count, std::uint64_t*& to) {
  for (; count > 0; --count) {
    *to++ = reinterpret_cast<std::uint64_t>(string);
    while (*string++ != '\0') {
    }
  }
  *to++ = 0;
  return string;
}

}  // namespace

std::uint64_t build_initial_stack(const reprise_start& start, const reprise::ElfImage& image) {
  const auto block = reinterpret_cast<std::uint64_t>(&start);
  std::uint64_t top = (block < start.strings ? block : start.strings) & ~std::uint64_t{15};
  top -= 16;
  auto* const random = reinterpret_cast<std::uint64_t*>(top);
  for (int i : {0, 1}) random[i] = personality::native::entropy();
  std::array<std::uint32_t, 4> features{};
  read_cpuid(1, 0, features.data());
  const std::array<Auxiliary, 17> auxiliary{{
      {ProgramHeaders, image.header_table.value()},
      {ProgramHeaderSize, image.header_bytes},
      {ProgramHeaderCount, image.header_count},
      {PageSize, REPRISE_PAGE_SIZE},
      {Base, 0},
      {Flags, 0},
      {Entry, image.entry.value()},
      {Uid, 0},
      {Euid, 0},
      {Gid, 0},
      {Egid, 0},
      {Hardware, features[3]},  // CPUID 1 EDX
      {ClockTicks, 100},
      {Secure, 0},
      {Random, top},
      {ExecName, start.strings},
      {Null, 0},
  }};
  const std::uint64_t words = 1 + start.argument_count + 1 + start.environment_count + 1;
  const std::uint64_t stack =
      (top - words * sizeof(std::uint64_t) - sizeof auxiliary) & ~std::uint64_t{15};
  auto* to = reinterpret_cast<std::uint64_t*>(stack);
  *to++ = start.argument_count;
  const auto* strings = reinterpret_cast<const char*>(start.strings);
  strings = point_to(strings, start.argument_count, to);
  point_to(strings, start.environment_count, to);
  for (const Auxiliary& entry : auxiliary) {
    *to++ = entry.tag;
    *to++ = entry.value;
  }
  return stack;
}

}  // namespace loader
