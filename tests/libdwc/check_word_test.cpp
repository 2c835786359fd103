#include <array>
#include <cstdint>

#include "libdwc/check_word.hpp"
#include "tests/catch.hpp"

TEST_CASE("a check word changes with every single bit of what it covers") {
  std::array<std::uint64_t, 512> words{};
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = i * 0x0123456789abcdef;
  const std::uint64_t intact = dwc::check_word(words);
  std::size_t unnoticed = 0;
  for (std::size_t bit = 0; bit < 64 * words.size(); ++bit) {
    words[bit / 64] ^= std::uint64_t{1} << bit % 64;
    unnoticed += dwc::check_word(words) == intact ? 1 : 0;
    words[bit / 64] ^= std::uint64_t{1} << bit % 64;
  }
  CHECK(unnoticed == 0);
  CHECK(dwc::check_word(words) == intact);
}

TEST_CASE("a check word tells words in another order apart") {
  const std::array<std::uint64_t, 3> one{1, 2, 3}, other{2, 1, 3};
  CHECK(dwc::check_word(one) != dwc::check_word(other));
}
