// The other functions that the compiler and <string_view> take from a C library.
#include <cstddef>

#include "user/linux/log.hpp"
#include "user/linux/native.hpp"

extern "C" std::size_t strlen(const char* text) {
  std::size_t length = 0;
  while (text[length] != '\0') ++length;
  return length;
}

extern "C" const void* memchr(const void* memory, int value, std::size_t bytes) {
  const auto* at = static_cast<const unsigned char*>(memory);
  for (const auto* const end = at + bytes; at != end; ++at) {
    if (*at == static_cast<unsigned char>(value)) return at;
  }
  return nullptr;
}

namespace std {
// std::string_view calls this for a substring that begins behind its text's end. That is a mistake
// in the personality itself.
void __throw_out_of_range_fmt(const char*, ...) {
  personality::Line() << "the personality itself failed: a substring out of range";
  personality::native::exit(127);
}
}  // namespace std
