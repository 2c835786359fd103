// Small helpers for text that came from outside. std::string_view's own functions that check their
// arguments throw, which the kernel cannot: these cannot be called wrongly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace reprise {

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

// Behind `prefix`, or nothing when the text does not begin with it.
[[nodiscard]] constexpr std::optional<std::string_view> behind(std::string_view text,
                                                               std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  return text;
}

// A decimal number within [low, high]; digits only.
[[nodiscard]] constexpr std::optional<std::uint64_t> number(std::string_view text,
                                                            std::uint64_t low, std::uint64_t high) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, 10, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value))
      return std::nullopt;
  }
  if (value < low || value > high) return std::nullopt;
  return value;
}

}  // namespace reprise
