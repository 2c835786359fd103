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

constexpr std::size_t vector_registers = 16;

constexpr std::array<std::string_view, static_cast<std::size_t>(Register::count)> general_names{
    "rax",     "rbx",     "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8",
    "r9",      "r10",     "r11", "r12", "r13", "r14", "r15", "rip", "rflags",
    "fs_base", "gs_base", "cs",  "ss",  "ds",  "es",  "fs",  "gs"};

// What stands behind the first `count` characters; substr() would need an exception to throw.
std::string_view behind(std::string_view text, std::size_t count) {
  text.remove_prefix(count < text.size() ? count : text.size());
  return text;
}

// "12" and no more: at most three digits, as no word's number needs more.
std::optional<std::size_t> number_in(std::string_view text) {
  if (text.empty() || text.size() > 3) return std::nullopt;
  std::size_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::size_t>(c - '0');
  }
  return value;
}

// Word of register `index` in an array of registers with two words each that begins at `base`.
TextLine pair_name(std::string_view prefix, std::size_t offset, std::size_t first_word) {
  return TextLine{prefix, offset / 2, ".", first_word + offset % 2};
}

TextLine name_of(std::size_t word) {
  if (word < general_names.size()) return TextLine{general_names[word]};
  if (word < general_words) return TextLine{"pad.", word - general_names.size()};
  const std::size_t ext = word - general_words;
  if (ext >= xmm_word && ext < xmm_word + 2 * vector_registers) {
    return pair_name("xmm", ext - xmm_word, 0);
  }
  const std::size_t ymm = extended_state.ymm_word;
  if (ymm != 0 && ext >= ymm && ext < ymm + 2 * vector_registers) {
    return pair_name("ymm", ext - ymm, 2);
  }
  return TextLine{"ext.", ext};
}

std::optional<std::size_t> vector_word(std::size_t index, std::size_t word, std::size_t words) {
  if (index >= vector_registers || word >= words) return std::nullopt;
  if (word < 2) return general_words + xmm_word + 2 * index + word;
  if (extended_state.ymm_word == 0) return std::nullopt;
  return general_words + extended_state.ymm_word + 2 * index + word - 2;
}

}  // namespace

std::string_view word_name(std::size_t word, std::span<char, 16> buffer) {
  const TextLine line = name_of(word);
  const std::string_view text = line.view();
  const std::size_t length = text.size() < buffer.size() ? text.size() : buffer.size();
  for (std::size_t i = 0; i < length; ++i) buffer[i] = text[i];
  return {buffer.data(), length};
}

std::optional<std::size_t> word_named(std::string_view name) {
  for (std::size_t i = 0; i < general_names.size(); ++i) {
    if (general_names[i] == name) return i;
  }
  if (name.starts_with("ext.")) {
    const auto ext = number_in(behind(name, 4));
    if (!ext || *ext >= extended_state.words) return std::nullopt;
    return general_words + *ext;
  }
  const bool ymm = name.starts_with("ymm");
  if (!ymm && !name.starts_with("xmm")) return std::nullopt;
  std::size_t dot = 3;
  while (dot < name.size() && name[dot] != '.') ++dot;
  const auto index = number_in({name.data() + 3, dot - 3});
  const auto word = number_in(behind(name, dot + 1));
  if (!index || !word) return std::nullopt;
  return vector_word(*index, *word, ymm ? 4 : 2);
}

}  // namespace arch
