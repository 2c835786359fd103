// The functions that the compiler and std::string_view expect to exist (GCC manual, "Standards").
#include <cstddef>

extern "C" {

void* memcpy(void* to, const void* from, std::size_t bytes) {
  auto* target = static_cast<unsigned char*>(to);
  const auto* source = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < bytes; ++i) target[i] = source[i];
  return to;
}

void* memmove(void* to, const void* from, std::size_t bytes) {
  auto* target = static_cast<unsigned char*>(to);
  const auto* source = static_cast<const unsigned char*>(from);
  if (target <= source) return memcpy(to, from, bytes);
  for (std::size_t i = bytes; i != 0; --i) target[i - 1] = source[i - 1];
  return to;
}

void* memset(void* to, int value, std::size_t bytes) {
  using Word __attribute__((may_alias)) = unsigned long;
  constexpr unsigned long every_byte = 0x0101010101010101;
  const auto byte = static_cast<unsigned char>(value);
  auto* target = static_cast<unsigned char*>(to);
  for (; bytes % sizeof(Word) != 0; --bytes) *target++ = byte;
  auto* words = reinterpret_cast<Word*>(target);
  for (std::size_t i = 0; i < bytes / sizeof(Word); ++i) words[i] = byte * every_byte;
  return to;
}

int memcmp(const void* left, const void* right, std::size_t bytes) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (std::size_t i = 0; i < bytes; ++i)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

void* memchr(const void* memory, int value, std::size_t bytes) {
  const auto* next = static_cast<const unsigned char*>(memory);
  for (std::size_t i = 0; i < bytes; ++i)
    if (next[i] == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(next + i);
  return nullptr;
}

std::size_t strlen(const char* text) {
  std::size_t length = 0;
  while (text[length] != 0) ++length;
  return length;
}
}
