// The font of the text console. Where it comes from and its licence: README.md.
#pragma once

#include <array>
#include <cstdint>

namespace arch {

inline constexpr unsigned glyph_width = 8;
inline constexpr unsigned glyph_height = 16;
inline constexpr char first_glyph = ' ';
inline constexpr char last_glyph = '~';

using Glyph = std::array<std::uint64_t, 2>;
using ConsoleFont = std::array<Glyph, last_glyph - first_glyph + 1>;
extern const ConsoleFont console_font;

// The dots of one row, leftmost in bit 7.
[[nodiscard]] constexpr std::uint8_t glyph_row(const Glyph& glyph, unsigned row) {
  return static_cast<std::uint8_t>(glyph[row / 8] >> (56 - 8 * (row % 8)));
}

}  // namespace arch
