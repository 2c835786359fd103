// Splits a line into words as GRUB joins them: blanks separate, double quotes group, and a
// backslash takes the next character as it is, also within double quotes. Single quotes, which
// GRUB does not write but people do, group and leave backslashes alone. \xHH is the byte of that
// number, and \x00 nothing: they carry what GRUB cannot (a line feed, a word of no characters).
// GRUB versions hand them on as they are or with the backslash doubled, so \\xHH means the same; a
// backslash that stands before an x is itself written \x5c.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/base/result.hpp"

namespace reprise {

enum class WordError : std::uint8_t {
  OpenQuote,      // a quote never closes
  OpenBackslash,  // a backslash with nothing behind it
  TooLong,        // more text than `storage` holds
  TooMany,        // more words than `words` holds
};

// The words lie in `storage`, which needs at most as many characters as `text`, without quotes and
// escapes; the result is the used part of `words`. "" and '' are words of no characters.
[[nodiscard]] Result<std::span<std::string_view>, WordError> split_words(
    std::string_view text, std::span<char> storage, std::span<std::string_view> words);

}  // namespace reprise
