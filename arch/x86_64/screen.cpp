// See the header.
#include "arch/x86_64/screen.hpp"

#include "arch/run_user.hpp"

namespace arch {
namespace {

constexpr unsigned rows_per_scroll = 8;
constexpr unsigned tab_columns = 8;
constexpr std::uint32_t ink_level = 0xd0;  // light grey: easier on the eye than full white

unsigned smaller(unsigned a, unsigned b) { return a < b ? a : b; }

}  // namespace

void Screen::start(const Framebuffer& geometry, std::span<std::byte> pixels) {
  columns_ = rows_ = row_ = column_ = 0;
  bytes_per_pixel_ = geometry.bits_per_pixel / 8;
  if (bytes_per_pixel_ != 4 && bytes_per_pixel_ != 3) return;
  const std::uint64_t needed = std::uint64_t{geometry.pitch} * geometry.height;
  if (pixels.size() < needed || geometry.pitch / bytes_per_pixel_ < geometry.width) return;
  pixels_ = pixels.first(needed);
  pitch_ = geometry.pitch;
  // One dot a pixel up to full HD, two on screens of twice that height, and so on.
  scale_ = geometry.height < 1620 ? 1 : (geometry.height + 540) / 1080;
  ink_ = ink_level << geometry.red_position | ink_level << geometry.green_position |
         ink_level << geometry.blue_position;
  columns_ = smaller(geometry.width / (glyph_width * scale_), max_columns);
  rows_ = smaller(geometry.height / (glyph_height * scale_), max_rows);
  for (std::byte& b : pixels_) b = std::byte{0};
  for (auto& row : cells_) row.fill(' ');
}

void Screen::write(std::string_view text) {
  if (!on()) return;
  for (const char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xc0) == 0x80;  // of a UTF-8 character
    if (!continues) put(c);
  }
}

void Screen::put(char c) {
  if (c == '\n') return new_line();
  if (c == '\r') {
    column_ = 0;
  } else if (c == '\b') {
    column_ -= column_ > 0 ? 1 : 0;
  } else if (c == '\t') {
    do put(' ');
    while (column_ % tab_columns != 0);
  } else {
    if (column_ == columns_) new_line();
    set_cell(row_, column_++, c);
  }
}

void Screen::new_line() {
  column_ = 0;
  if (++row_ < rows_) return;
  const unsigned distance = smaller(rows_per_scroll, rows_);
  for (unsigned row = 0; row < rows_; ++row) {
    admit_interrupts();  // they do not wait for the whole screen
    for (unsigned column = 0; column < columns_; ++column) {
      set_cell(row, column, row + distance < rows_ ? cells_[row + distance][column] : ' ');
    }
  }
  row_ -= distance;
}

void Screen::set_cell(unsigned row, unsigned column, char c) {
  if (c < ' ' || c > '~') c = '?';
  if (cells_[row][column] == c) return;
  cells_[row][column] = c;
  draw(row, column, console_font[static_cast<std::size_t>(c - ' ')]);
}

void Screen::draw(unsigned row, unsigned column, const Glyph& glyph) {
  const std::size_t left = std::size_t{column} * glyph_width * scale_ * bytes_per_pixel_;
  for (unsigned y = 0; y < glyph_height * scale_; ++y) {
    const std::size_t line = std::size_t{row} * glyph_height * scale_ + y;
    std::byte* pixel = pixels_.data() + line * pitch_ + left;
    for (unsigned x = 0; x < glyph_width * scale_; ++x, pixel += bytes_per_pixel_) {
      const std::uint32_t colour = (glyph[y / scale_] & (0x80u >> x / scale_)) != 0 ? ink_ : 0;
      if (bytes_per_pixel_ == 4) {
        __builtin_memcpy(pixel, &colour, 4);
      } else {
        __builtin_memcpy(pixel, &colour, 3);
      }
    }
  }
}

}  // namespace arch
