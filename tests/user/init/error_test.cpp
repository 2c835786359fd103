#include "user/init/error.hpp"

#include <set>
#include <string>
#include <vector>

#include "tests/catch.hpp"

using namespace reprise;

TEST_CASE("each error has an exit code of its own, which scripts know by its place in this list") {
  const std::vector<std::string> words{
      "no-program",        "empty-module",      "module-string",  "not-elf",       "elf-32bit",
      "elf-machine",       "elf-dynamic",       "elf-truncated",  "elf-malformed", "elf-overlap",
      "elf-writable-code", "elf-address",       "no-personality", "bad-archive",   "bad-argument",
      "out-of-memory",     "bad-grant",         "no-init",        "abi-version",   "name-taken",
      "no-virtualization", "guest-not-granted", "too-many-guests"};
  REQUIRE(words.size() == static_cast<std::size_t>(Error::count));
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto error = static_cast<Error>(i);
    CHECK(text_of(error).word == words[i]);
    CHECK(static_cast<unsigned>(exit_code_of(error)) == 0x20 + i);
    CHECK(refused_by(i + 1) == error);
  }
}

TEST_CASE("each error says in words of its own what is wrong or what to do") {
  std::set<std::string_view> advices;
  for (const ErrorText& text : error_texts) {
    CHECK(text.advice.size() > 20);
    CHECK(advices.insert(text.advice).second);
  }
}

TEST_CASE("a number that no error has still leads to one") {
  CHECK(refused_by(0) == Error::NotElf);
  CHECK(refused_by(1000) == Error::NotElf);
}
