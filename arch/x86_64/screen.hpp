// A text console drawn dot by dot on a linear framebuffer of 24 or 32 bits a pixel. The text also
// stands in a grid of cells, because reading a framebuffer is slow on real machines: scrolling
// compares cells and redraws those that changed. It scrolls several rows at once, since one row at
// a time would redraw most of the screen for each line.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "arch/machine.hpp"

namespace arch {

// The glyphs from blank to tilde, a byte a row from the top, leftmost dot in bit 7.
inline constexpr unsigned glyph_width = 8, glyph_height = 16;
using Glyph = std::array<std::uint8_t, glyph_height>;
extern "C" const std::array<Glyph, '~' - ' ' + 1> console_font;

class Screen {
public:
  // `pixels` is the framebuffer as the CPU reaches it. Stays off when it is smaller than the
  // geometry says or has a depth that is not served.
  void start(const Framebuffer& geometry, std::span<std::byte> pixels);
  [[nodiscard]] bool on() const { return columns_ != 0 && rows_ != 0; }
  // ASCII, with \n, \r, \b and \t; each other character, UTF-8 included, shows as one '?'.
  void write(std::string_view text);

  [[nodiscard]] unsigned columns() const { return columns_; }
  [[nodiscard]] unsigned rows() const { return rows_; }

private:
  static constexpr unsigned max_columns = 256, max_rows = 128;

  void put(char c);
  void new_line();
  void set_cell(unsigned row, unsigned column, char c);
  void draw(unsigned row, unsigned column, const Glyph& glyph);

  std::span<std::byte> pixels_;
  std::uint32_t pitch_ = 0, ink_ = 0;
  unsigned bytes_per_pixel_ = 0;
  unsigned scale_ = 0;  // pixels a dot, in both directions
  unsigned columns_ = 0, rows_ = 0;
  unsigned row_ = 0, column_ = 0;
  std::array<std::array<char, max_columns>, max_rows> cells_{};
};

}  // namespace arch
