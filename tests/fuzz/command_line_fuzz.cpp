// Whatever the line: it is split within the room given, an error names the part at fault, and words
// that were split once come out the same after a script and GRUB have joined them again.
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/fuzz/require.hpp"
#include "tests/user/init/registers.hpp"
#include "user/init/arguments.hpp"
#include "user/init/module_string.hpp"
#include "user/init/words.hpp"

using namespace reprise;

namespace {

using Words = std::vector<std::string>;

std::string by_number(char c, const char* backslash) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%sx%02x", backslash, static_cast<unsigned char>(c));
  return text.data();
}

// As scripts write words and GRUB hands them on, whose versions differ in the backslash before x.
std::string joined(const Words& words, const char* backslash) {
  std::string line;
  for (const std::string& word : words) {
    std::string escaped = word.empty() ? by_number('\0', backslash) : "";
    for (const char c : word) {
      if (c == '\'' || c == '"') escaped += '\\';
      const bool numbered = c == '\\' || c == '\t' || c == '\r' || c == '\n';
      escaped += numbered ? by_number(c, backslash) : std::string{c};
    }
    if (word.find(' ') != std::string::npos) {
      escaped.insert(0, 1, '"');
      escaped += '"';
    }
    if (!line.empty()) line += ' ';
    line += escaped;
  }
  return line;
}

bool split(std::string_view line, Words& words) {
  std::vector<char> storage(line.size());
  std::array<std::string_view, 64> views;
  const auto result = split_words(line, storage, views);
  REQUIRE(result || result.error() != too_much_text);
  if (result) words.assign(result.value().begin(), result.value().end());
  return static_cast<bool>(result);
}

void try_words(std::string_view line) {
  Words words;
  if (!split(line, words)) return;
  for (const char* backslash : {"\\", "\\\\"}) {
    Words again;
    REQUIRE(split(joined(words, backslash), again));
    REQUIRE(again == words);
  }
}

void try_settings(std::string_view line) {
  Settings settings;
  const auto result = parse_settings(line, test::word_named, settings);
  if (!result) {
    REQUIRE(result.error().error == Error::BadArgument);
    REQUIRE(!result.error().reason.empty());
    REQUIRE(!result.error().allowed.view().empty());
    return;
  }
  REQUIRE(are_valid(settings.kernel));
  REQUIRE(settings.stop_after >= Nanoseconds{1'000'000});
  REQUIRE(settings.priority_of("a") <= highest_priority);
  REQUIRE(settings.console_serial || settings.console_screen);
  for (const NamedInjection& i : settings.injections()) {
    REQUIRE(is_process_name(i.name));
    REQUIRE(i.element >= 1 && (i.run == 1 || i.run == 2));
    REQUIRE(i.page < 512 && i.word < 512 && i.bit < 64);
    REQUIRE((i.offset >= 1) == (i.moment == Injection::Moment::Offset));
  }
  for (const std::string_view pair : settings.environment()) REQUIRE(pair.find('=') != pair.npos);
}

void try_module_string(std::string_view line) {
  std::array<char, 256> storage{};
  std::array<std::string_view, 16> words;
  const auto result = parse_module_string(line, storage, words);
  if (!result) {
    REQUIRE(result.error() == Error::ModuleString);
    return;
  }
  const bool process = result.value().role <= ModuleRole::Driver;  // a program, or a driver
  REQUIRE(process == !result.value().argv.empty());
  REQUIRE(process == is_process_name(result.value().name));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line{reinterpret_cast<const char*>(data), size};
  try_words(line);
  try_settings(line);
  try_module_string(line);
  const auto injection = parse_injection(line, test::word_named);
  REQUIRE(injection || !injection.error().allowed.view().empty());
  return 0;
}
