// A line of text, put together in place from its parts: text, numbers, Hex{...}. Text that does not
// fit is cut off.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reprise {

struct Hex {
  std::uint64_t value;
};

class TextLine {
public:
  template <class... Parts>
  explicit TextLine(const Parts&... parts) {
    (add(parts), ...);
  }
  template <class... Parts>
  void append(const Parts&... parts) {
    (add(parts), ...);
  }
  [[nodiscard]] std::string_view view() const { return {buffer_.data(), used_}; }
  [[nodiscard]] std::size_t room() const { return buffer_.size() - used_; }

private:
  void add(std::string_view text) {
    for (const char c : text) add(c);
  }
  void add(char c) {
    if (used_ == buffer_.size()) return;
    buffer_[used_] = c;
    ++used_;
  }
  void add(std::unsigned_integral auto value) { add_digits(value, 10); }
  void add(Hex hex) {
    add("0x");
    add_digits(hex.value, 16);
  }
  void add(const TextLine& line) { add(line.view()); }
  void add_digits(std::uint64_t value, unsigned base) {
    if (value >= base) add_digits(value / base, base);
    add("0123456789abcdef"[value % base]);
  }

  std::array<char, 512> buffer_;
  std::size_t used_ = 0;
};

}  // namespace reprise
