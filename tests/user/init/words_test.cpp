#include "user/init/words.hpp"

#include <array>
#include <string>
#include <vector>

#include "tests/catch.hpp"

using namespace reprise;

namespace {

using Words = std::vector<std::string>;

Words words_of(std::string_view text) {
  std::vector<char> storage(text.size());  // the contract says that this is enough
  std::array<std::string_view, 16> words;
  const auto result = split_words(text, storage, words);
  REQUIRE(result);
  return {result.value().begin(), result.value().end()};
}

std::string error_of(std::string_view text, std::size_t characters = 100, std::size_t count = 16) {
  std::vector<char> storage(characters);
  std::vector<std::string_view> words(count);
  const auto result = split_words(text, storage, words);
  REQUIRE_FALSE(result);
  return std::string{result.error()};
}

// Quotes the arguments of `module2` as GRUB does. It puts quotes around arguments with blanks, and
// a backslash before each quote and backslash.
std::string joined_as_grub_does(const Words& words) {
  std::string line;
  for (const std::string& word : words) {
    const bool quoted = word.find(' ') != std::string::npos;
    if (!line.empty()) line += ' ';
    if (quoted) line += '"';
    for (const char c : word) {
      if (c == '\\' || c == '\'' || c == '"') line += '\\';
      line += c;
    }
    if (quoted) line += '"';
  }
  return line;
}

}  // namespace

TEST_CASE("blanks of any kind and number separate words") {
  CHECK(words_of("") == Words{});
  CHECK(words_of(" \t\r\n") == Words{});
  CHECK(words_of("  one\ttwo \n three ") == Words{"one", "two", "three"});
}

TEST_CASE("quotes group, join with what touches them, and make empty words") {
  CHECK(words_of("a \"b c\" d") == Words{"a", "b c", "d"});
  CHECK(words_of("'b c'") == Words{"b c"});
  CHECK(words_of("a\"b c\"'d e'f") == Words{"ab cd ef"});
  CHECK(words_of("\"\" '' x") == Words{"", "", "x"});
  CHECK(words_of("\"it's\" 'a \"b\"'") == Words{"it's", "a \"b\""});
}

TEST_CASE("a backslash takes the next character as it is, but not within single quotes") {
  CHECK(words_of("a\\ b \\\" \\' \\\\") == Words{"a b", "\"", "'", "\\"});
  CHECK(words_of("\"a\\\"b\\\\\"") == Words{"a\"b\\"});
  CHECK(words_of("'a\\b'") == Words{"a\\b"});
}

TEST_CASE("what never closes is an error") {
  CHECK(error_of("a \"b") == "a quote never closes");
  CHECK(error_of("'") == "a quote never closes");
  CHECK(error_of("\"a\\\"") == "a quote never closes");
  CHECK(error_of("a\\") == "a backslash at the end");
  CHECK(error_of("\"\\") == "a backslash at the end");
}

TEST_CASE("text and words that just fit are read, one more is an error") {
  CHECK(error_of("abc de", 4) == too_much_text);
  CHECK(error_of("a b c", 100, 2) == "too many arguments");
  std::array<char, 3> storage{};
  std::array<std::string_view, 2> words;
  CHECK(split_words("ab c", storage, words));
}

TEST_CASE("what GRUB joins, the kernel splits again") {
  const Words words = GENERATE(Words{"awk", "{print $1}"}, Words{"a\\b", "it's", "\"", "' \""},
                               Words{"printf", "%s\\n", "  two  blanks  "});
  CHECK(words_of(joined_as_grub_does(words)) == words);
}

TEST_CASE("a byte can be given by its number, with one backslash or two") {
  CHECK(words_of("\\x41\\x5c\\xfF") == Words{"A\\\xff"});
  CHECK(words_of("\\\\x41\\\\x0a") == Words{"A\n"});
  CHECK(words_of("a\\x00b \\x00 \"\\\\x00\"") == Words{"ab", "", ""});
  CHECK(words_of("'\\x41'") == Words{"\\x41"});
}

TEST_CASE("what only looks like a byte's number is taken as it is") {
  CHECK(words_of("\\x4 \\xg0 \\x") == Words{"x4", "xg0", "x"});
  CHECK(words_of("\\\\x4 \\\\y41") == Words{"\\x4", "\\y41"});
  CHECK(words_of("\"\\x\"41") == Words{"x41"});
}

TEST_CASE("a NUL is a character like others, outside quotes, too") {
  const std::string text{"a\0b", 3};
  CHECK(words_of(text) == Words{text});
}

TEST_CASE("process names are short, printable and free of the lists' separators") {
  CHECK(is_process_name("["));
  CHECK(is_process_name(std::string(31, 'x')));
  CHECK_FALSE(is_process_name(std::string(32, 'x')));
  CHECK_FALSE(is_process_name(""));
  const char c = GENERATE(' ', ',', ':', '=', '"', '\'', '\\', '\x7f', '\n', '\xc3');
  CHECK_FALSE(is_process_name(std::string{'a', c, 'b'}));
}
