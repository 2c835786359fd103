#include "user/linux/log.hpp"

#include "user/linux/native.hpp"

namespace personality {

Line::~Line() {
  text_[length_] = '\n';
  ++length_;
  native::log(reinterpret_cast<std::uint64_t>(text_), length_);
}

Line& Line::operator<<(std::string_view text) {
  for (const char character : text) {
    if (length_ == sizeof text_ - 1) break;  // room for the line feed
    text_[length_] = character;
    ++length_;
  }
  return *this;
}

Line& Line::operator<<(std::uint64_t number) {
  char digits[20];
  std::size_t first = sizeof digits;
  do {
    --first;
    digits[first] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return *this << std::string_view(digits + first, sizeof digits - first);
}

Line& Line::operator<<(Hex number) {
  char digits[18] = {'0', 'x'};
  std::size_t length = 2;
  int shift = 60;
  while (shift > 0 && (number.value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) {
    digits[length] = "0123456789abcdef"[number.value >> shift & 15];
    ++length;
  }
  return *this << std::string_view(digits, length);
}

}  // namespace personality
