// Reads a static x86-64 ELF file, and refuses every file that contradicts itself. The file is
// untrusted. All results lie within the file and within the addresses that such an image may use,
// so the loader needs no further checks. Nothing is copied or changed. Formats: System V ABI,
// "Object Files"; x86-64 psABI, chapter 4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kernel/base/address.hpp"
#include "kernel/base/result.hpp"
#include "user/loader/error.hpp"

namespace reprise {

// A PT_LOAD segment that occupies memory. Address and file offset agree modulo the page size; the
// bytes from file_bytes to memory_bytes, and the rest of the first and last page, are zero.
struct ElfSegment {
  std::size_t file_offset = 0;
  std::size_t file_bytes = 0;  // at most memory_bytes
  UserAddr address;            // the load bias is added already
  std::uint64_t memory_bytes = 0;
  bool read = false;
  bool write = false;  // never together with execute
  bool execute = false;
};

struct ElfImage {
  static constexpr std::size_t max_segments = 32;

  std::array<ElfSegment, max_segments> table{};
  std::size_t segment_count = 0;
  UserAddr entry;                     // within an executable segment, bias added
  bool position_independent = false;  // static-PIE: ET_DYN without interpreter
  std::uint64_t load_bias = 0;        // what was added to the file's addresses; AT_BASE is 0 anyway
  UserAddr header_table;              // AT_PHDR; 0 when no segment holds the program headers
  std::uint16_t header_count = 0;     // AT_PHNUM; 0 when header_table is
  std::uint16_t header_bytes = 0;     // AT_PHENT
  std::optional<std::uint32_t> native_version;  // of the note "Reprise"; none: a Linux program
  PageNumber first_page;                        // of the lowest segment
  PageNumber end_page;  // behind the highest segment: where a break can begin

  [[nodiscard]] std::span<const ElfSegment> segments() const {
    return std::span{table}.first(segment_count);
  }
};

// Errors: EmptyModule, NotElf and all that begin with Elf. A request for an executable stack
// (PT_GNU_STACK) is ignored. Segments may come in any order but share no page.
[[nodiscard]] Result<ElfImage, Error> parse_elf(std::span<const std::byte> file);

}  // namespace reprise
