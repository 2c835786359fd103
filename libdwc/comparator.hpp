// Compares what two runs left behind, word by word: no checksum stands in for a word. Words that
// differ are listed in the diagnosis. Every page and register is looked at even after a first
// difference was found: a mismatch is rare, and then the whole picture is wanted.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "libdwc/findings.hpp"
#include "libdwc/page_set.hpp"

namespace dwc {

// The check word over a snapshot. Each step maps the running value one to one for a fixed word, and
// the word one to one for a fixed running value: so a change of any single word, hence any single
// flipped bit, always changes the result. A platform may use another one for its pages.
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

// How many words differ between two register sets, of those that each trap keeps.
template <Core C>
[[nodiscard]] std::size_t trap_words_apart(const typename C::Registers& a,
                                           const typename C::Registers& b) {
  const auto first = a.words(), second = b.words();
  std::size_t differing = 0;
  for (std::size_t i = 0; i < C::trap_words; ++i) differing += first[i] != second[i] ? 1 : 0;
  return differing;
}

template <Space S>
class Comparator {
public:
  Comparator(S& space, Statistics& statistics, Diagnosis<typename S::PageNumber>& diagnosis)
      : space_{space}, statistics_{statistics}, diagnosis_{diagnosis} {}

  // A comparison begins here: the diagnosis forgets what differed before.
  [[nodiscard]] bool registers_agree(std::span<const std::uint64_t> a,
                                     std::span<const std::uint64_t> b) {
    diagnosis_.forget_differences();
    bool agree = a.size() == b.size();
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
      if (a[i] == b[i]) continue;
      agree = false;
      diagnosis_.registers.add({.page = {}, .word = i, .first = a[i], .second = b[i]});
    }
    return agree;
  }

  // P1 with P2. A page that only the second run wrote has no P1 of its own: its base is what the
  // first run left. Keeps the check word of P1, the next base.
  [[nodiscard]] bool page_agrees(PageEntry<S>& entry) {
    const auto first = entry.rewound ? entry.spare : entry.base;
    const Comparison comparison = space_.compare(first, entry.work);
    ++statistics_.compares;
    entry.first_check = comparison.check_word;
    if (!comparison.first_difference) return true;
    const std::span<const std::uint64_t> a = space_.words(first);
    const std::span<const std::uint64_t> b = space_.words(entry.work);
    for (std::size_t i = *comparison.first_difference; i < a.size(); ++i) {
      if (a[i] == b[i]) continue;
      diagnosis_.pages.add(
          {.page = space_.number(entry.page), .word = i, .first = a[i], .second = b[i]});
    }
    return false;
  }

private:
  S& space_;
  Statistics& statistics_;
  Diagnosis<typename S::PageNumber>& diagnosis_;
};

}  // namespace dwc
