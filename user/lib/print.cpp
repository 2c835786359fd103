// See print.hpp.
#include "user/lib/print.hpp"

#include "user/lib/calls.hpp"
#include "user/lib/drivers.hpp"

namespace user {

void Line::add(std::string_view text) {
  for (const char c : text) {
    if (used_ == text_.size()) return;
    text_[used_] = c;
    ++used_;
  }
}

void Line::add(Hex number) {
  for (int shift = 60; shift >= 0; shift -= 4) add("0123456789abcdef"[number.value >> shift & 15]);
}

void Line::add_number(std::uint64_t number) {
  std::array<char, 20> digits{};
  std::size_t first = digits.size();
  do {
    --first;
    digits[first] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  add(std::string_view{digits.data() + first, digits.size() - first});
}

void write_line(const Line& line) {
  if (!write_to_host(line.text())) log(line.text());
}

}  // namespace user
