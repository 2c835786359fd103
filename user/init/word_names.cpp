#include "user/init/word_names.hpp"

#include "kernel/base/text_line.hpp"
#include "user/init/words.hpp"

namespace reprise {
namespace {

constexpr std::size_t general_words = 32;  // the last of them have no name
constexpr std::size_t vector_words = std::size_t{16} * 2;

// In the order of arch::Register.
constexpr std::string_view general_names[] = {
    "rax",     "rbx",     "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8",
    "r9",      "r10",     "r11", "r12", "r13", "r14", "r15", "rip", "rflags",
    "fs_base", "gs_base", "cs",  "ss",  "ds",  "es",  "fs",  "gs"};

void set_name(WordNames& names, std::size_t word, const TextLine& name) {
  copy_text(name.view(), names[word]);
}

// An array of registers, two words each. `from` is the number of the first word within a register.
void name_vectors(WordNames& names, std::string_view prefix, std::size_t first, std::size_t from) {
  for (std::size_t i = 0; i < vector_words; ++i) {
    names[first + i] = {};
    set_name(names, first + i, TextLine{prefix, i / 2, ".", from + i % 2});
  }
}

}  // namespace

void fill_word_names(WordNames& names, const ExtendedLayout& layout) {
  std::size_t word = 0;
  for (const std::string_view name : general_names) set_name(names, word++, TextLine{name});
  for (std::size_t i = 0; i < layout.words; ++i) {
    set_name(names, general_words + i, TextLine{"ext.", i});
  }
  name_vectors(names, "xmm", first_vector_word, 0);
  if (layout.ymm_word != 0) name_vectors(names, "ymm", general_words + layout.ymm_word, 2);
}

std::string_view word_name(const WordNames& names, std::size_t word) {
  const std::string_view name{names[word].data(), names[word].size()};
  return cut(name, '\0').head;
}

std::optional<std::size_t> word_named(const ExtendedLayout& layout, std::string_view name) {
  for (std::size_t i = 0; i < std::size(general_names); ++i) {
    if (general_names[i] == name) return i;
  }
  std::size_t number = 0, word = 0;
  if (const auto index = behind(name, "ext.")) {
    const bool known = read_number(*index, 0, layout.words - 1, number);
    return known ? std::optional{general_words + number} : std::nullopt;
  }
  const auto xmm = behind(name, "xmm"), ymm = behind(name, "ymm");
  const Cut place = cut(xmm ? *xmm : ymm.value_or(""), '.');
  const std::size_t last = ymm && layout.ymm_word != 0 ? 3 : 1;
  if (!read_number(place.head, 0, 15, number) ||
      !read_number(place.tail.value_or(""), 0, last, word)) {
    return std::nullopt;
  }
  const std::size_t start = word < 2 ? first_vector_word : general_words + layout.ymm_word;
  return start + 2 * number + word % 2;
}

}  // namespace reprise
