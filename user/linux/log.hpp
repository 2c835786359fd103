// One line on the terminal, built without memory allocation:
// `Line() << "unknown call " << number;` prints "linux: unknown call 425" when it ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace personality {

struct Hex {
  std::uint64_t value;
};

class Line {
public:
  Line() { *this << "linux: "; }
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Line& operator<<(std::string_view text);
  Line& operator<<(std::uint64_t number);
  Line& operator<<(Hex number);

private:
  char text_[240];
  std::size_t length_ = 0;
};

// A refusal is named once: `if (said.first()) Line() << ...`.
class Once {
public:
  [[nodiscard]] bool first() {
    const bool was = said_;
    said_ = true;
    return !was;
  }

private:
  bool said_ = false;
};

}  // namespace personality
