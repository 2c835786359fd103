// See the header.
#include "user/drivers/text_screen.hpp"

namespace drivers {
namespace {

constexpr unsigned rows_per_scroll = 8;
constexpr unsigned tab_columns = 8;
constexpr std::uint32_t ink_level = 0xd0;        // light grey: easier on the eye than full white
constexpr std::uint64_t most_pixels = 1u << 16;  // in each direction

std::uint64_t smaller(std::uint64_t a, std::uint64_t b) { return a < b ? a : b; }

bool makes_sense(const Framebuffer& g) {
  return (g.bits_per_pixel == 32 || g.bits_per_pixel == 24) && g.width < most_pixels &&
         g.height < most_pixels && g.pitch < most_pixels * 8 &&
         g.pitch / (g.bits_per_pixel / 8) >= g.width && g.red_position <= 24 &&
         g.green_position <= 24 && g.blue_position <= 24;
}

}  // namespace

void TextScreen::start(const Framebuffer& geometry) {
  columns_ = rows_ = row_ = column_ = 0;
  if (!makes_sense(geometry)) return;
  bytes_per_pixel_ = static_cast<unsigned>(geometry.bits_per_pixel / 8);
  pitch_ = geometry.pitch;
  height_ = geometry.height;
  // One dot a pixel up to full HD, two on screens of twice that height, and so on.
  scale_ = height_ < 1620 ? 1 : static_cast<unsigned>((height_ + 540) / 1080);
  ink_ = ink_level << geometry.red_position | ink_level << geometry.green_position |
         ink_level << geometry.blue_position;
  columns_ = static_cast<unsigned>(smaller(geometry.width / glyph_width / scale_, max_columns));
  rows_ = static_cast<unsigned>(smaller(height_ / row_lines(), max_rows));
  changed_.fill(true);
  for (auto& row : cells_) row.fill(' ');
}

void TextScreen::write(std::string_view text) {
  if (!on()) return;
  for (const char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xc0) == 0x80;  // of a UTF-8 character
    if (!continues) put(c);
  }
}

void TextScreen::put(char c) {
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

void TextScreen::new_line() {
  column_ = 0;
  ++row_;
  if (row_ < rows_) return;
  const unsigned distance = rows_per_scroll < rows_ ? rows_per_scroll : rows_;
  for (unsigned row = 0; row < rows_; ++row) {
    for (unsigned column = 0; column < columns_; ++column) {
      set_cell(row, column, row + distance < rows_ ? cells_[row + distance][column] : ' ');
    }
  }
  row_ -= distance;
}

void TextScreen::set_cell(unsigned row, unsigned column, char c) {
  if (c < ' ' || c > '~') c = '?';
  if (cells_[row][column] == c) return;
  cells_[row][column] = c;
  changed_[row] = true;
}

bool TextScreen::take_change(unsigned row) {
  const bool changed = changed_[row];
  changed_[row] = false;
  return changed;
}

void TextScreen::draw(unsigned row, std::span<std::byte> pixels) const {
  __builtin_memset(pixels.data(), 0, pixels.size());
  for (unsigned column = 0; column < columns_; ++column) {
    const char c = cells_[row][column];
    if (c == ' ') continue;
    const Glyph& glyph = console_font[static_cast<std::size_t>(c - ' ')];
    const std::size_t left = std::size_t{column} * glyph_width * scale_ * bytes_per_pixel_;
    for (unsigned y = 0; y < row_lines(); ++y) {
      std::byte* pixel = pixels.data() + y * pitch_ + left;
      const unsigned dots = glyph[y / scale_];
      for (unsigned x = 0; dots != 0 && x < glyph_width * scale_; ++x, pixel += bytes_per_pixel_) {
        if ((dots & (0x80u >> x / scale_)) == 0) continue;
        pixel[0] = static_cast<std::byte>(ink_);
        pixel[1] = static_cast<std::byte>(ink_ >> 8);
        pixel[2] = static_cast<std::byte>(ink_ >> 16);
        if (bytes_per_pixel_ == 4) pixel[3] = static_cast<std::byte>(ink_ >> 24);
      }
    }
  }
}

}  // namespace drivers
