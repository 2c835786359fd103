#include "user/init/sheet_line.hpp"

#include <array>

namespace reprise {

TextLine digits_of(std::uint16_t check) {
  std::array<char, 4> digits{};
  for (unsigned i = 0; i < digits.size(); ++i) {
    digits[i] = "0123456789abcdef"[check >> (12 - 4 * i) & 0xf];
  }
  return TextLine{std::string_view{digits.data(), digits.size()}};
}

TextLine sheet_line(std::uint64_t number, std::string_view text) {
  TextLine line{number < 10 ? "0" : "", number, " ", text};
  line.append(" #", digits_of(check_of(line.view())));
  return line;
}

}  // namespace reprise
