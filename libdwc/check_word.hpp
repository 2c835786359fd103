// The check word over a snapshot. Each step maps the running value one to one for a fixed word, and
// the word one to one for a fixed running value: so a change of any single word, hence any single
// flipped bit, always changes the result. A platform may use another one for its pages.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace dwc {

inline constexpr std::uint64_t check_word_start = 0x9e3779b97f4a7c15;
inline constexpr std::uint64_t check_word_factor = 0xd6e8feb86659fd93;  // odd: invertible

[[nodiscard]] constexpr std::uint64_t check_word_step(std::uint64_t sum, std::uint64_t word) {
  return std::rotl(sum ^ word, 23) * check_word_factor;
}

[[nodiscard]] constexpr std::uint64_t check_word(std::span<const std::uint64_t> words) {
  std::uint64_t sum = check_word_start;
  for (const std::uint64_t word : words) sum = check_word_step(sum, word);
  return sum;
}

}  // namespace dwc
