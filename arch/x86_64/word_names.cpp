// Names of the words of a UserState, both ways: "r12", "xmm3.1" (second word of XMM3), "ymm3.2"
// (the first word above XMM3's two; ymm3.0 and ymm3.1 are XMM3 itself), "ext.17" for any other word
// of the extended image. The general words' names stand in the order of arch::Register.
#include <array>
#include <cstdint>

#include "arch/user_state.hpp"
#include "arch/x86_64/extended_state.hpp"
#include "kernel/base/text_line.hpp"

namespace arch {

using reprise::TextLine;
using x86::extended_state;
using x86::xmm_word;

namespace {

constexpr std::size_t vector_words = 16 * 2;

constexpr std::array<std::string_view, static_cast<std::size_t>(Register::count)> general_names{
    "rax",     "rbx",     "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8",
    "r9",      "r10",     "r11", "r12", "r13", "r14", "r15", "rip", "rflags",
    "fs_base", "gs_base", "cs",  "ss",  "ds",  "es",  "fs",  "gs"};

bool within(std::size_t word, std::size_t first) {
  return word >= first && word < first + vector_words;
}

// A word of an array of registers, two words each; the first of a register is its `from`-th word.
TextLine vector_name(std::string_view prefix, std::size_t offset, std::size_t from) {
  return TextLine{prefix, offset / 2, ".", from + offset % 2};
}

TextLine extended_name(std::size_t word) {
  const std::size_t ymm = extended_state.ymm_word;
  if (within(word, xmm_word)) return vector_name("xmm", word - xmm_word, 0);
  if (ymm != 0 && within(word, ymm)) return vector_name("ymm", word - ymm, 2);
  return TextLine{"ext.", word};
}

// Every word of the image has a name as such; the lower words of YMM3 are those of XMM3.
bool has_name(std::size_t word, std::string_view name) {
  return extended_name(word).view() == name || TextLine{"ext.", word}.view() == name ||
         (within(word, xmm_word) && vector_name("ymm", word - xmm_word, 0).view() == name);
}

}  // namespace

std::string_view word_name(std::size_t word, std::span<char, 16> buffer) {
  const TextLine line = word < general_names.size() ? TextLine{general_names[word]}
                        : word < general_words      ? TextLine{"pad.", word}
                                                    : extended_name(word - general_words);
  std::size_t length = 0;
  for (const char c : line.view()) buffer[length++] = c;  // no name is longer than "xmm15.1"
  return {buffer.data(), length};
}

std::optional<std::size_t> word_named(std::string_view name) {
  for (std::size_t i = 0; i < general_names.size(); ++i) {
    if (general_names[i] == name) return i;
  }
  for (std::size_t i = 0; i < extended_state.words; ++i) {
    if (has_name(i, name)) return general_words + i;
  }
  return std::nullopt;
}

}  // namespace arch
