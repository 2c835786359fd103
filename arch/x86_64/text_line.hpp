// A line of text put together in place, for the few things that the machine layer says by itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace arch::x86 {

class TextLine {
public:
  explicit TextLine(std::string_view start = {}) { text(start); }

  TextLine& text(std::string_view text) {
    for (const char c : text) put(c);
    return *this;
  }
  TextLine& number(std::uint64_t value, unsigned base = 10) {
    std::array<char, 20> digits{};
    std::size_t used = 0;
    do digits[used++] = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    while (used > 0) put(digits[--used]);
    return *this;
  }
  TextLine& hex(std::uint64_t value) { return text("0x").number(value, 16); }

  [[nodiscard]] std::string_view view() const { return {buffer_.data(), used_}; }

private:
  void put(char c) {
    if (used_ < buffer_.size()) buffer_[used_++] = c;  // what does not fit is cut
  }
  std::array<char, 200> buffer_;
  std::size_t used_ = 0;
};

}  // namespace arch::x86
