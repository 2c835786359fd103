#include "user/linux/log.hpp"

#include "user/linux/digits.hpp"
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

Line& Line::operator<<(std::uint64_t number) { return *this << Digits(number, 10).view(); }

Line& Line::operator<<(Hex number) { return *this << "0x" << Digits(number.value, 16).view(); }

}  // namespace personality
