// Compares what two runs left behind, word by word: no checksum stands in for a word. Words that
// differ are listed in the diagnosis. Every page and register is looked at even after a first
// difference was found: a mismatch is rare, and then the whole picture is wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "libdwc/diagnosis.hpp"
#include "libdwc/page_set.hpp"
#include "libdwc/platform.hpp"
#include "libdwc/statistics.hpp"

namespace dwc {

template <Platform P>
class Comparator {
public:
  Comparator(P& platform, Statistics& statistics, Diagnosis<P>& diagnosis)
      : platform_{platform}, statistics_{statistics}, diagnosis_{diagnosis} {}

  [[nodiscard]] bool registers_agree(const typename P::Registers& first,
                                     const typename P::Registers& second) {
    const std::span<const std::uint64_t> a = first.words();
    const std::span<const std::uint64_t> b = second.words();
    bool agree = a.size() == b.size();
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
      if (a[i] == b[i]) continue;
      agree = false;
      diagnosis_.registers.add({.index = i, .first = a[i], .second = b[i]});
    }
    return agree;
  }

  // P1 with P2. A page that only the second run wrote has no P1 of its own: its base is what the
  // first run left. Keeps the check word of P1, the next base.
  [[nodiscard]] bool page_agrees(PageEntry<P>& entry) {
    const auto first = entry.rewound ? entry.spare : entry.base;
    const Comparison comparison = platform_.compare(first, entry.work);
    ++statistics_.compares;
    entry.first_check = comparison.check_word;
    if (!comparison.first_difference) return true;
    list_differences(entry.page, first, entry.work, *comparison.first_difference);
    return false;
  }

private:
  void list_differences(typename P::Page page, typename P::Frame first, typename P::Frame second,
                        std::size_t from) {
    const std::span<const std::uint64_t> a = platform_.words(first);
    const std::span<const std::uint64_t> b = platform_.words(second);
    for (std::size_t i = from; i < a.size(); ++i) {
      if (a[i] == b[i]) continue;
      diagnosis_.pages.add({.page = page, .word = i, .first = a[i], .second = b[i]});
    }
  }

  P& platform_;
  Statistics& statistics_;
  Diagnosis<P>& diagnosis_;
};

}  // namespace dwc
