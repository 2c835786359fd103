// See words.hpp.
#include "kernel/parse/words.hpp"

#include <cstddef>
#include <optional>

namespace reprise {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Splitter {
public:
  Splitter(std::string_view text, std::span<char> storage) : rest_{text}, storage_{storage} {}

  // Skips blanks; true when a word follows.
  [[nodiscard]] bool more() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    return !rest_.empty();
  }

  [[nodiscard]] Result<std::string_view, WordError> next() {
    const std::size_t start = used_;
    char quote = 0;
    while (!rest_.empty() && (quote != 0 || !is_blank(rest_.front()))) {
      char c = take();
      if (quote != 0 && c == quote) {
        quote = 0;
        continue;
      }
      if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
        continue;
      }
      if (c == '\\' && quote != '\'') {
        if (rest_.empty()) return Failure{WordError::OpenBackslash};
        c = take();
        if (const auto byte = take_byte(c)) {
          if (*byte == 0) continue;
          c = static_cast<char>(*byte);
        }
      }
      if (used_ == storage_.size()) return Failure{WordError::TooLong};
      storage_[used_++] = c;
    }
    if (quote != 0) return Failure{WordError::OpenQuote};
    return std::string_view{storage_.data() + start, used_ - start};
  }

private:
  static std::optional<unsigned> digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
  }

  // The byte of \xHH or \\xHH, of which the backslash and `c` are taken already; takes nothing
  // when it is neither.
  std::optional<unsigned> take_byte(char c) {
    const std::size_t digits = c == 'x' ? 0 : 1;
    if (c != 'x' && (c != '\\' || !rest_.starts_with('x'))) return std::nullopt;
    if (rest_.size() < digits + 2) return std::nullopt;
    const auto high = digit(rest_[digits]);
    const auto low = digit(rest_[digits + 1]);
    if (!high || !low) return std::nullopt;
    rest_.remove_prefix(digits + 2);
    return *high << 4 | *low;
  }

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  std::string_view rest_;
  std::span<char> storage_;
  std::size_t used_ = 0;
};

}  // namespace

Result<std::span<std::string_view>, WordError> split_words(std::string_view text,
                                                           std::span<char> storage,
                                                           std::span<std::string_view> words) {
  Splitter splitter{text, storage};
  std::size_t count = 0;
  while (splitter.more()) {
    if (count == words.size()) return Failure{WordError::TooMany};
    const auto word = splitter.next();
    if (!word) return Failure{word.error()};
    words[count++] = word.value();
  }
  return words.first(count);
}

}  // namespace reprise
