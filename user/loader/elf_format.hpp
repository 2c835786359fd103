// ELF64 as it lies in a file: System V ABI, chapters 4 and 5, field names as there.
#pragma once

#include <array>
#include <cstdint>

namespace reprise::elf {

struct FileHeader {
  std::array<std::uint8_t, 16> ident;
  std::uint16_t type;
  std::uint16_t machine;
  std::uint32_t version;
  std::uint64_t entry;
  std::uint64_t phoff;
  std::uint64_t shoff;
  std::uint32_t flags;
  std::uint16_t ehsize;
  std::uint16_t phentsize;
  std::uint16_t phnum;
  std::uint16_t shentsize;
  std::uint16_t shnum;
  std::uint16_t shstrndx;
};
static_assert(sizeof(FileHeader) == 64);

struct ProgramHeader {
  std::uint32_t type;
  std::uint32_t flags;
  std::uint64_t offset;
  std::uint64_t vaddr;
  std::uint64_t paddr;
  std::uint64_t filesz;
  std::uint64_t memsz;
  std::uint64_t align;
};
static_assert(sizeof(ProgramHeader) == 56);

struct NoteHeader {
  std::uint32_t namesz;
  std::uint32_t descsz;
  std::uint32_t type;
};

struct DynamicEntry {
  std::uint64_t tag;
  std::uint64_t value;
};

inline constexpr std::array<std::uint8_t, 4> magic{0x7f, 'E', 'L', 'F'};
inline constexpr std::size_t ident_class = 4;
inline constexpr std::size_t ident_data = 5;
inline constexpr std::size_t ident_version = 6;
inline constexpr std::uint8_t class_32 = 1;
inline constexpr std::uint8_t class_64 = 2;
inline constexpr std::uint8_t data_little_endian = 1;

inline constexpr std::uint16_t type_executable = 2;
inline constexpr std::uint16_t type_shared = 3;  // static-PIE is one, too
inline constexpr std::uint16_t machine_x86_64 = 62;
inline constexpr std::uint32_t current_version = 1;

inline constexpr std::uint32_t segment_load = 1;
inline constexpr std::uint32_t segment_dynamic = 2;
inline constexpr std::uint32_t segment_interpreter = 3;
inline constexpr std::uint32_t segment_note = 4;

inline constexpr std::uint32_t flag_execute = 1;
inline constexpr std::uint32_t flag_write = 2;
inline constexpr std::uint32_t flag_read = 4;

inline constexpr std::uint64_t dynamic_end = 0;
inline constexpr std::uint64_t dynamic_needed = 1;

}  // namespace reprise::elf
