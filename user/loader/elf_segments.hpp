// The rules for one PT_LOAD segment and for all of them together. Only elf.cpp uses them.
#pragma once

#include <cstddef>
#include <optional>

#include "user/loader/elf.hpp"
#include "user/loader/elf_format.hpp"

namespace reprise::elf {

// The address of a program that can lie anywhere.
inline constexpr std::uint64_t position_independent_base = 0x0000555500000000;

// The range in which an image may lie, in the file's own addresses: [low, high), in whole pages.
struct Bounds {
  std::uint64_t low;
  std::uint64_t high;
};

// Checks one segment, adds the bias and appends it to the image; nothing: it is valid. A segment
// without memory is valid and not appended.
[[nodiscard]] std::optional<Error> add_segment(ElfImage& image, const ProgramHeader& header,
                                               std::size_t file_bytes, Bounds bounds);

// Checks that no page belongs to two segments; sets first_page and end_page.
[[nodiscard]] std::optional<Error> check_together(ElfImage& image);

}  // namespace reprise::elf
