// One line of console output, built in place and written whole. Two kinds: lines for people begin
// with "[reprise] ", lines for scripts with "reprise: EVENT" and go on in key=value pairs
// (docs/log-format.md). Both start at the left margin, whatever a program has printed before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reprise {

class Line {
public:
  Line() = default;
  explicit Line(std::string_view start) { text(start); }

  Line& text(std::string_view text);
  Line& number(std::uint64_t value);
  Line& hex(std::uint64_t value);  // 0x..., as many digits as needed
  Line& fraction(std::uint64_t numerator, std::uint64_t denominator);  // two decimals; "-" for n/0

  [[nodiscard]] std::string_view view() const { return {buffer_.data(), used_}; }
  void print() const;  // for people

private:
  friend class EventLine;
  void put(char c);
  std::array<char, 512> buffer_{};  // what does not fit is cut, the line's end never
  std::size_t used_ = 0;
};

class EventLine {
public:
  explicit EventLine(std::string_view event);
  EventLine& field(std::string_view key, std::uint64_t value);
  EventLine& field(std::string_view key, std::string_view value);  // quoted when it must be
  EventLine& hex(std::string_view key, std::uint64_t value);
  void print() const;

private:
  EventLine& key(std::string_view key);
  Line line_;
};

// What a program prints: passed through as it is.
void print_for_program(std::string_view text);

}  // namespace reprise
