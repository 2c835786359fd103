// Takes text from outside apart: lines into words as GRUB joins them, words into parts, parts into
// numbers and choices. It calls nothing that throws.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "kernel/abi/settings.hpp"
#include "kernel/base/result.hpp"

namespace reprise {

inline constexpr std::string_view too_much_text = "too long";

// Blanks separate, double quotes group, and a backslash takes the next character as it is, also
// within double quotes. Single quotes group, too, and leave backslashes alone: people write them,
// GRUB does not. \xHH is the byte of that number, and \x00 is no character; with them an image can
// carry what GRUB cannot (a line feed, an empty word). Some versions of GRUB double the backslash,
// so \\xHH means the same. A backslash before an x is itself written \x5c.
//
// The words lie in `storage`, without quotes and escapes; it needs at most as many characters as
// `text`. The result is the used part of `words`. "" and '' are empty words. The error says why the
// line cannot be split; it is too_much_text when `storage` is too small.
[[nodiscard]] Result<std::span<std::string_view>, std::string_view> split_words(
    std::string_view text, std::span<char> storage, std::span<std::string_view> words);

// A process's name has 1 to 31 (REPRISE_NAME_BYTES) printable ASCII characters, but none of blank ,
// : = " ' and backslash: it stands in lists, in injections, in the log and in REPRISE_FIND.
[[nodiscard]] bool is_process_name(std::string_view name);

struct Cut {
  std::string_view head;                 // before the separator, or everything
  std::optional<std::string_view> tail;  // behind it; nothing when there is no separator
};

[[nodiscard]] constexpr Cut cut(std::string_view text, char separator) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == separator)
      return {{text.data(), i}, std::string_view{text.data() + i + 1, text.size() - i - 1}};
  return {text, std::nullopt};
}

// Copies as much of the text as fits, and returns how much. (std::string_view::copy may throw.)
constexpr std::size_t copy_text(std::string_view text, std::span<char> to) {
  std::size_t count = 0;
  while (count < text.size() && count < to.size()) {
    to[count] = text[count];
    ++count;
  }
  return count;
}

// The text behind `prefix`; nothing when the text does not begin with it.
[[nodiscard]] constexpr std::optional<std::string_view> behind(std::string_view text,
                                                               std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  return text;
}

// The number, from 0, of the first part of a list that is `wanted`.
template <std::predicate<std::string_view> F>
[[nodiscard]] std::optional<std::size_t> find_part(std::string_view list, char separator,
                                                   F wanted) {
  std::optional<std::string_view> rest = list;
  for (std::size_t index = 0; rest; ++index) {
    const Cut part = cut(*rest, separator);
    if (wanted(part.head)) return index;
    rest = part.tail;
  }
  return std::nullopt;
}

// The read_... functions below store the value and return true, or return false when the text has
// none.

template <class E>
[[nodiscard]] bool read_choice(std::string_view text,
                               std::type_identity_t<std::span<const ChoiceWord<E>>> choices,
                               E& chosen) {
  for (const ChoiceWord<E>& choice : choices) {
    if (choice.word != text) continue;
    chosen = choice.value;
    return true;
  }
  return false;
}

// The inverse of read_choice(): the word of a value, empty when the table has no such row.
template <class E>
[[nodiscard]] constexpr std::string_view word_of(
    E value, std::type_identity_t<std::span<const ChoiceWord<E>>> choices) {
  for (const ChoiceWord<E>& choice : choices) {
    if (choice.value == value) return choice.word;
  }
  return {};
}

// A decimal number within [low, high]; digits only.
template <std::unsigned_integral T>
[[nodiscard]] bool read_number(std::string_view text, std::uint64_t low, std::uint64_t high,
                               T& number) {
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    if (__builtin_mul_overflow(value, 10, &value)) return false;
    if (__builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value)) return false;
  }
  if (text.empty() || !is_between(low, value, high)) return false;
  number = static_cast<T>(value);
  return true;
}

// A hexadecimal number without 0x, up to `high`.
[[nodiscard]] bool read_hexadecimal(std::string_view text, std::uint64_t high,
                                    std::uint64_t& number);

}  // namespace reprise
