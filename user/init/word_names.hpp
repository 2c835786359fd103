// Names of the words of a process's registers: "r12", "xmm3.1" (second word of XMM3), "ymm3.2" (the
// first word above XMM3's two; ymm3.0 and ymm3.1 are XMM3 itself), "ext.17" for any word of the
// extended image. A guest has words behind these, in the order of struct reprise_guest_state:
// "cs.attr" (selector, attributes and limit), "cs.base", "cr3". They are for people: in inject=, in
// the diagnosis, and in the log.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "kernel/abi/init.hpp"

namespace reprise {

// The layout of the extended image, in 64-bit words: its size, and where the upper halves of YMM0
// to YMM15 lie. 0: the machine has none.
struct ExtendedLayout {
  std::size_t words = 64;
  std::size_t ymm_word = 0;
};
[[nodiscard]] ExtendedLayout extended_layout();  // of this machine (processor.cpp)

inline constexpr std::size_t named_guest_words = 47;  // the last one is no register

using WordNames = std::array<std::array<char, 16>, register_words>;

// A word without a name gets an empty one.
void fill_word_names(WordNames& names, const ExtendedLayout& layout);
[[nodiscard]] std::string_view word_name(const WordNames& names, std::size_t word);
[[nodiscard]] std::optional<std::size_t> word_named(const ExtendedLayout& layout,
                                                    std::string_view name);

}  // namespace reprise
