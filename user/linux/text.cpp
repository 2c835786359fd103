#include "user/linux/text.hpp"

#include "user/linux/digits.hpp"
#include "user/linux/user_memory.hpp"

namespace personality {

Text& Text::operator<<(std::string_view part) {
  const UserAddress from(reinterpret_cast<std::uint64_t>(part.data()));
  const Value written = to_.write(to_.size(), from, part.size());
  if (written != static_cast<Value>(part.size())) complete_ = false;
  column_ = part.ends_with('\n') ? 0 : column_ + part.size();
  return *this;
}

Text& Text::operator<<(Padded number) {
  return *this << Digits(number.value, 10, number.width, ' ').view();
}

Text& Text::operator<<(HexDigits number) {
  return *this << Digits(number.value, 16, number.width, '0').view();
}

Text& Text::pad(std::size_t column) {
  while (column_ < column) *this << ' ';
  return *this;
}

}  // namespace personality
