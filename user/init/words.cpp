// See words.hpp.
#include "user/init/words.hpp"

#include "kernel/abi/reprise.h"

namespace reprise {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

constexpr std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const int lower = c | ('a' - 'A');
  if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a' + 10);
  return std::nullopt;
}

char take(std::string_view& rest) {
  const char c = rest.front();
  rest.remove_prefix(1);
  return c;
}

// Takes the rest of \xHH or \\xHH, whose first backslash is taken already, and returns the byte.
// Takes nothing when the text is neither.
std::optional<unsigned> take_byte(std::string_view& rest) {
  const std::size_t x = rest.starts_with('\\') ? 1 : 0;
  if (rest.size() < x + 3 || rest[x] != 'x') return std::nullopt;
  const auto high = hex_digit(rest[x + 1]);
  const auto low = hex_digit(rest[x + 2]);
  if (!high || !low) return std::nullopt;
  rest.remove_prefix(x + 3);
  return *high << 4 | *low;
}

Result<std::string_view, std::string_view> take_word(std::string_view& rest,
                                                     std::span<char> storage) {
  std::size_t used = 0;
  char quote = 0;  // the one that is open
  while (!rest.empty() && (quote != 0 || !is_blank(rest.front()))) {
    char c = take(rest);
    const bool opens = quote == 0 && (c == '"' || c == '\'');
    const bool closes = quote != 0 && c == quote;
    if (opens) quote = c;
    if (closes) quote = 0;
    if (opens || closes) continue;
    if (c == '\\' && quote != '\'') {
      if (rest.empty()) return Failure<std::string_view>{"a backslash at the end"};
      const std::optional<unsigned> byte = take_byte(rest);
      if (byte == 0u) continue;
      c = byte ? static_cast<char>(*byte) : take(rest);
    }
    if (used == storage.size()) return Failure{too_much_text};
    storage[used] = c;
    ++used;
  }
  if (quote != 0) return Failure<std::string_view>{"a quote never closes"};
  return std::string_view{storage.data(), used};
}

}  // namespace

Result<std::span<std::string_view>, std::string_view> split_words(
    std::string_view text, std::span<char> storage, std::span<std::string_view> words) {
  for (std::size_t count = 0;; ++count) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    if (text.empty()) return words.first(count);
    if (count == words.size()) return Failure<std::string_view>{"too many arguments"};
    const auto word = take_word(text, storage);
    if (!word) return Failure{word.error()};
    words[count] = word.value();
    storage = storage.subspan(word.value().size());
  }
}

bool read_hexadecimal(std::string_view text, std::uint64_t high, std::uint64_t& number) {
  std::uint64_t value = 0;
  for (const char c : text) {
    const auto digit = hex_digit(c);
    if (!digit || value >> 60 != 0) return false;
    value = value << 4 | *digit;
  }
  if (text.empty() || value > high) return false;
  number = value;
  return true;
}

bool is_process_name(std::string_view name) {
  constexpr std::string_view separators = ",:=\"'\\";
  for (const char c : name)
    if (c <= ' ' || c >= 0x7f || cut(separators, c).tail) return false;
  return !name.empty() && name.size() <= REPRISE_NAME_BYTES;
}

}  // namespace reprise
