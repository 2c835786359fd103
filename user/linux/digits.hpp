// The digits of a number, without memory allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace personality {

// To base 10 or 16; at least `width` characters, of which the first may be fillers.
class Digits {
public:
  Digits(std::uint64_t value, std::uint64_t base, std::size_t width = 0, char filler = '0') {
    do {
      put("0123456789abcdef"[value % base]);
      value /= base;
    } while (value != 0);
    while (sizeof text_ - first_ < width) put(filler);
  }
  [[nodiscard]] std::string_view view() const { return {text_ + first_, sizeof text_ - first_}; }

private:
  void put(char digit) {
    --first_;
    text_[first_] = digit;
  }

  char text_[24];
  std::size_t first_ = sizeof text_;  // they grow from the end
};

}  // namespace personality
