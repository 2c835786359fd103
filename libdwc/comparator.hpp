// Compares what two runs left behind, word by word: no checksum stands in for a word. A mismatch is
// rare, and then the whole picture is wanted.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "libdwc/core.hpp"
#include "libdwc/findings.hpp"
#include "libdwc/page_set.hpp"

namespace dwc {

// A check word that also tells words in another order apart, for traces. Each step maps the running
// value one to one for a fixed word, and the word one to one for a fixed running value. So a change
// of any single word, and of any single bit, always changes the result. Snapshots have check words
// that are quicker: those of the Space and of the RegisterSet.
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

// The words of two register sets that differ, in order.
[[nodiscard]] inline Shortlist<WordDifference> differing_words(
    std::span<const std::uint64_t> first, std::span<const std::uint64_t> second) {
  Shortlist<WordDifference> differing;
  for (std::size_t i = 0; i < first.size() && i < second.size(); ++i) {
    if (first[i] == second[i]) continue;
    differing.add({.word = i, .first = first[i], .second = second[i]});
  }
  return differing;
}

enum class Depth : std::uint8_t {
  WholePicture,     // every register and page, even after a first difference
  FirstDifference,  // no page behind the first one that differs, none at all if
                    // registers differ
};

template <Space S>
class Comparator {
public:
  using Found = Differences<typename S::PageNumber>;

  Comparator(S& space, const Settings& settings, Statistics& statistics)
      : space_{space}, settings_{settings}, statistics_{statistics} {}

  // What differs between the registers of the two runs, and between the pages that either of them
  // modified; by content. Nothing: the runs agree. It stands until the next comparison.
  template <RegisterSet R>
  [[nodiscard]] const Found* compare(const R& first, const R& second, PageSet<S>& set,
                                     Depth depth) {
    found_.clear();
    if (!first.same_as(second)) found_.registers = differing_words(first.words(), second.words());
    for (PageEntry<S>& entry : set.touched()) {
      if (!found_.empty() && depth == Depth::FirstDifference) break;
      if (entry.dirty_in_either() || settings_.check == CheckScope::Full) compare(entry);
    }
    return found_.empty() ? nullptr : &found_;
  }

private:
  // P1 with P2. A page that only the second run wrote has no P1 of its own: its base is what the
  // first run left. Keeps the check word of P1, the next base.
  void compare(PageEntry<S>& entry) {
    const auto first = entry.rewound ? entry.spare : entry.base;
    const Comparison comparison = space_.compare(first, entry.work);
    ++statistics_.compares;
    entry.first_check = comparison.check_word;
    if (!comparison.first_difference) return;
    const std::span<const std::uint64_t> a = space_.words(first);
    const std::span<const std::uint64_t> b = space_.words(entry.work);
    for (std::size_t i = *comparison.first_difference; i < a.size(); ++i) {
      if (a[i] == b[i]) continue;
      found_.pages.add(
          {.page = space_.number(entry.page), .word = i, .first = a[i], .second = b[i]});
    }
  }

  S& space_;
  const Settings& settings_;
  Statistics& statistics_;
  Found found_;  // by the last comparison
};

}  // namespace dwc
