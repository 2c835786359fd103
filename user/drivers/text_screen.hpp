// A text screen on a linear framebuffer of 24 or 32 bits a pixel. Text goes into a grid of cells.
// The driver asks for each changed row, and the screen draws it dot by dot into a buffer of one
// row. So text that scrolls away unseen costs nothing, and little memory is modified. The screen
// scrolls several rows at once. One row at a time would redraw most of it for each line.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace drivers {

// The glyphs from blank to tilde, a byte a row from the top, leftmost dot in bit 7.
inline constexpr unsigned glyph_width = 8, glyph_height = 16;
using Glyph = std::array<std::uint8_t, glyph_height>;
extern "C" const std::array<Glyph, '~' - ' ' + 1> console_font;

struct Framebuffer {
  std::uint64_t address = 0;                       // physical
  std::uint64_t pitch = 0, width = 0, height = 0;  // pitch in bytes, size in pixels
  std::uint64_t bits_per_pixel = 0;
  std::uint64_t red_position = 0, green_position = 0, blue_position = 0;
};

class TextScreen {
public:
  // The screen stays off when the framebuffer makes no sense or has another depth.
  void start(const Framebuffer& geometry);
  [[nodiscard]] bool on() const { return columns_ != 0 && rows_ != 0; }
  // ASCII, with \n, \r, \b and \t; each other character, UTF-8 included, shows as one '?'.
  void write(std::string_view text);

  [[nodiscard]] unsigned columns() const { return columns_; }
  [[nodiscard]] unsigned rows() const { return rows_; }
  [[nodiscard]] std::size_t row_bytes() const { return row_lines() * pitch_; }
  // Behind the last row there may be lines of pixels without text, less than a row.
  [[nodiscard]] std::size_t bytes_below() const {
    return (height_ - std::size_t{rows_} * row_lines()) * pitch_;
  }

  // Whether the row has changed since the last call.
  [[nodiscard]] bool take_change(unsigned row);
  // The row's row_bytes() bytes of pixels; in the framebuffer they lie at `row * row_bytes()`.
  void draw(unsigned row, std::span<std::byte> pixels) const;

private:
  static constexpr unsigned max_columns = 256, max_rows = 128;

  [[nodiscard]] unsigned row_lines() const { return glyph_height * scale_; }
  void put(char c);
  void new_line();
  void set_cell(unsigned row, unsigned column, char c);

  std::size_t pitch_ = 0, height_ = 0;
  std::uint32_t ink_ = 0;
  unsigned bytes_per_pixel_ = 0;
  unsigned scale_ = 0;  // pixels a dot, in both directions
  unsigned columns_ = 0, rows_ = 0;
  unsigned row_ = 0, column_ = 0;
  std::array<bool, max_rows> changed_{};
  std::array<std::array<char, max_columns>, max_rows> cells_{};
};

}  // namespace drivers
