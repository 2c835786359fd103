#include "user/init/word_names.hpp"

#include "kernel/base/text_line.hpp"
#include "user/init/words.hpp"

namespace reprise {
namespace {

constexpr std::size_t general_words = 32;  // the last six have no name
constexpr std::size_t vector_words = std::size_t{16} * 2;

// Where the kernel keeps each register. word_names_test.cpp compares the numbers with the kernel's
// own (arch::Register).
struct GeneralName {
  std::size_t word;
  std::string_view name;
};
constexpr GeneralName general_names[] = {
    {.word = 0, .name = "rax"},      {.word = 1, .name = "rbx"},
    {.word = 2, .name = "rcx"},      {.word = 3, .name = "rdx"},
    {.word = 4, .name = "rsi"},      {.word = 5, .name = "rdi"},
    {.word = 6, .name = "rbp"},      {.word = 7, .name = "rsp"},
    {.word = 8, .name = "r8"},       {.word = 9, .name = "r9"},
    {.word = 10, .name = "r10"},     {.word = 11, .name = "r11"},
    {.word = 12, .name = "r12"},     {.word = 13, .name = "r13"},
    {.word = 14, .name = "r14"},     {.word = 15, .name = "r15"},
    {.word = 16, .name = "rip"},     {.word = 17, .name = "rflags"},
    {.word = 18, .name = "fs_base"}, {.word = 19, .name = "gs_base"},
    {.word = 20, .name = "cs"},      {.word = 21, .name = "ss"},
    {.word = 22, .name = "ds"},      {.word = 23, .name = "es"},
    {.word = 24, .name = "fs"},      {.word = 25, .name = "gs"},
};

// A guest's words, behind those of a program: two of each segment, then the others.
constexpr std::string_view segment_names[] = {"es", "cs",   "ss",   "ds",   "fs",
                                              "gs", "gdtr", "ldtr", "idtr", "tr"};
constexpr std::string_view control_names[] = {"cr0",
                                              "cr2",
                                              "cr3",
                                              "cr4",
                                              "cr8",
                                              "efer",
                                              "dr0",
                                              "dr1",
                                              "dr2",
                                              "dr3",
                                              "dr6",
                                              "dr7",
                                              "star",
                                              "lstar",
                                              "cstar",
                                              "sfmask",
                                              "kernel_gs_base",
                                              "sysenter_cs",
                                              "sysenter_esp",
                                              "sysenter_eip",
                                              "pat",
                                              "cpl",
                                              "shadow",
                                              "event",
                                              "next_rip",
                                              "xcr0",
                                              "window"};
constexpr std::size_t segment_words = 2 * std::size(segment_names);
static_assert(segment_words + std::size(control_names) == named_guest_words);

TextLine guest_word_name(std::size_t word) {
  if (word >= segment_words) return TextLine{control_names[word - segment_words]};
  return TextLine{segment_names[word / 2], word % 2 == 0 ? ".attr" : ".base"};
}

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
  for (const auto& [word, register_name] : general_names) {
    set_name(names, word, TextLine{register_name});
  }
  for (std::size_t i = 0; i < layout.words; ++i) {
    set_name(names, general_words + i, TextLine{"ext.", i});
  }
  for (std::size_t i = 0; i < named_guest_words; ++i) {
    set_name(names, program_register_words + i, guest_word_name(i));
  }
  name_vectors(names, "xmm", first_vector_word, 0);
  if (layout.ymm_word != 0) name_vectors(names, "ymm", general_words + layout.ymm_word, 2);
}

std::string_view word_name(const WordNames& names, std::size_t word) {
  const std::string_view name{names[word].data(), names[word].size()};
  return cut(name, '\0').head;
}

std::optional<std::size_t> word_named(const ExtendedLayout& layout, std::string_view name) {
  for (const auto& [word, register_name] : general_names) {
    if (register_name == name) return word;
  }
  for (std::size_t i = 0; i < named_guest_words; ++i) {
    if (guest_word_name(i).view() == name) return program_register_words + i;
  }
  std::size_t number = 0;
  std::size_t word = 0;
  if (const auto index = behind(name, "ext.")) {
    const bool known = read_number(*index, 0, layout.words - 1, number);
    return known ? std::optional{general_words + number} : std::nullopt;
  }
  const auto xmm = behind(name, "xmm");
  const auto ymm = behind(name, "ymm");
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
