// Text that grows into a file's content: `text << "MemTotal: " << 4u << '\n'`.
#pragma once

#include <string_view>

#include "user/linux/content.hpp"

namespace personality {

struct Padded {  // right-aligned
  std::uint64_t value;
  std::size_t width;
};

struct HexDigits {  // with leading zeros
  std::uint64_t value;
  std::size_t width;
};

class Text {
public:
  explicit Text(Content& to) : to_(to) {}

  Text& operator<<(std::string_view part);
  Text& operator<<(char character) { return *this << std::string_view(&character, 1); }
  Text& operator<<(std::uint64_t number) { return *this << Padded{number, 0}; }
  Text& operator<<(Padded number);
  Text& operator<<(HexDigits number);
  // Blanks up to this column of the line.
  Text& pad(std::size_t column);

  [[nodiscard]] bool complete() const { return complete_; }  // false: memory was short

private:
  Content& to_;
  std::size_t column_ = 0;
  bool complete_ = true;
};

}  // namespace personality
