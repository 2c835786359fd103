// Where everything lies in the virtual address space. The picture and the constants stand together.
//
//   0000000000001000  user half: programs, their stacks, the personality, the archive
//   00007fffffffe000  end of the user half
//   ffff800000000000  direct map: all physical memory, writable, never executable
//   ffffffff80000000  the kernel image, each section with its own rights
#pragma once

#include "kernel/base/address.hpp"

namespace reprise {

inline constexpr std::uint64_t user_low = 0x1000;
inline constexpr std::uint64_t user_high = 0x00007fffffffe000;  // exclusive

inline constexpr std::uint64_t mmap_low = 0x0000100000000000;
inline constexpr std::uint64_t mmap_high = 0x00007c0000000000;
inline constexpr std::uint64_t program_file_base = 0x00007c8000000000;  // unchanged, read-only
inline constexpr std::uint64_t archive_base = 0x00007d0000000000;
inline constexpr std::uint64_t personality_base = 0x00007e0000000000;
inline constexpr std::uint64_t personality_end = 0x00007f0000000000;
[[nodiscard]] constexpr bool in_personality(std::uint64_t address) {
  return address >= personality_base && address < personality_end;
}
inline constexpr std::uint64_t stack_high = 0x00007ffffffe0000;  // exclusive; guard pages around
inline constexpr std::uint64_t stack_bytes = 8 << 20;

inline constexpr std::uint64_t direct_map_base = 0xffff800000000000;
inline constexpr std::uint64_t direct_map_limit = 1ull << 46;  // bytes of physical memory at most
inline constexpr std::uint64_t kernel_base = 0xffffffff80000000;

inline constexpr std::size_t most_boot_bytes = 1 << 20;  // of the boot loader's information

}  // namespace reprise
