// Printing to the standard output: the console, or the host's. print("sum ", 3, " at ",
// Hex{address}, "\n") makes one call, so that the lines of several programs do not mix. A text
// longer than the buffer is cut.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace user {

struct Hex {  // 16 hexadecimal digits
  std::uint64_t value;
};

class Line {
public:
  void add(std::string_view text);
  void add(const char* text) { add(std::string_view{text}); }
  void add(char c) { add(std::string_view{&c, 1}); }
  void add(Hex number);
  void add_number(std::uint64_t number);
  template <std::integral T>
  void add(T number) {
    const bool negative = number < T{0};
    if (negative) add('-');
    const auto bits = static_cast<std::uint64_t>(number);
    add_number(negative ? 0 - bits : bits);
  }
  [[nodiscard]] std::string_view text() const { return {text_.data(), used_}; }

private:
  std::array<char, 1024> text_;
  std::size_t used_ = 0;
};

void write_line(const Line& line);

template <class... Parts>
void print(const Parts&... parts) {
  Line line;
  (line.add(parts), ...);
  write_line(line);
}

}  // namespace user
