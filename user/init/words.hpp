// Takes text from outside apart, without ever calling what throws: lines into words as GRUB joins
// them, words into parts, parts into numbers and choices.
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
// within double quotes. Single quotes, which GRUB does not write but people do, group and leave
// backslashes alone. \xHH is the byte of that number, and \x00 nothing: they carry what GRUB cannot
// (a line feed, a word of no characters). GRUB versions hand them on as they are or with the
// backslash doubled, so \\xHH means the same; a backslash that stands before an x is itself written
// \x5c.
//
// The words lie in `storage`, which needs at most as many characters as `text`, without quotes and
// escapes; the result is the used part of `words`. "" and '' are words of no characters. The error
// says for people why the line cannot be split; it is too_much_text when `storage` was too small.
[[nodiscard]] Result<std::span<std::string_view>, std::string_view> split_words(
    std::string_view text, std::span<char> storage, std::span<std::string_view> words);

// Names of processes stand in lists, in injections, in the log and in REPRISE_FIND: 1 to 31
// (REPRISE_NAME_BYTES) printable characters of ASCII but none of blank , : = " ' and backslash.
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

// As much of the text as there is room for; how much that was. (std::string_view::copy may throw.)
constexpr std::size_t copy_text(std::string_view text, std::span<char> to) {
  std::size_t count = 0;
  while (count < text.size() && count < to.size()) {
    to[count] = text[count];
    ++count;
  }
  return count;
}

// Behind `prefix`, or nothing when the text does not begin with it.
[[nodiscard]] constexpr std::optional<std::string_view> behind(std::string_view text,
                                                               std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  return text;
}

// Which part of a list, from 0, is the first that `wanted` holds for.
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

// The readers below store what the text says, or return false when it says nothing of the kind.

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

// The same without 0x, up to `high`.
[[nodiscard]] bool read_hexadecimal(std::string_view text, std::uint64_t high,
                                    std::uint64_t& number);

}  // namespace reprise
