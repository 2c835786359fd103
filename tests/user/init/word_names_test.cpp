// Every word has a name of its own, and the name leads back to the word. People use the same names.
#include "user/init/word_names.hpp"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "arch/user_state.hpp"
#include "tests/catch.hpp"

using namespace reprise;

namespace {

constexpr std::size_t general_words = 32;
constexpr ExtendedLayout sse{.words = 64, .ymm_word = 0}, avx{.words = 104, .ymm_word = 72};

}  // namespace

TEST_CASE("every word has a name of its own, and the name leads back to it") {
  for (const ExtendedLayout& layout : {sse, avx}) {
    const auto names = std::make_unique<WordNames>();
    fill_word_names(*names, layout);
    std::set<std::string> seen;
    for (std::size_t word = 0; word < names->size(); ++word) {
      const std::string name{word_name(*names, word)};
      const bool named =
          word < 26 || (word >= general_words && word < general_words + layout.words);
      REQUIRE(name.empty() == !named);
      if (!named) continue;  // no register: nothing to inject into
      INFO(name);
      REQUIRE(seen.insert(name).second);
      REQUIRE(word_named(layout, name) == word);
    }
  }
}

TEST_CASE("each register's name leads to the word in which the kernel keeps it") {
  using arch::Register;
  constexpr std::pair<const char*, Register> registers[] = {
      {"rax", Register::Rax},        {"rbx", Register::Rbx},        {"rcx", Register::Rcx},
      {"rdx", Register::Rdx},        {"rsi", Register::Rsi},        {"rdi", Register::Rdi},
      {"rbp", Register::Rbp},        {"rsp", Register::Rsp},        {"r8", Register::R8},
      {"r9", Register::R9},          {"r10", Register::R10},        {"r11", Register::R11},
      {"r12", Register::R12},        {"r13", Register::R13},        {"r14", Register::R14},
      {"r15", Register::R15},        {"rip", Register::Rip},        {"rflags", Register::Rflags},
      {"fs_base", Register::FsBase}, {"gs_base", Register::GsBase}, {"cs", Register::Cs},
      {"ss", Register::Ss},          {"ds", Register::Ds},          {"es", Register::Es},
      {"fs", Register::Fs},          {"gs", Register::Gs},
  };
  REQUIRE(std::size(registers) == static_cast<std::size_t>(Register::count));
  for (const auto& [name, where] : registers) {
    INFO(name);
    REQUIRE(word_named(avx, name) == static_cast<std::size_t>(where));
  }
}

TEST_CASE("names of registers are those that people use") {
  REQUIRE(word_named(avx, "rax") == 0u);
  REQUIRE(word_named(avx, "r15") == 15u);
  REQUIRE(word_named(avx, "rip") == 16u);
  REQUIRE(word_named(avx, "rflags") == 17u);
  REQUIRE(word_named(avx, "fs_base") == 18u);
  REQUIRE(word_named(avx, "gs") == 25u);
  REQUIRE(word_named(avx, "xmm0.0") == general_words + 20);
  REQUIRE(word_named(avx, "xmm15.1") == general_words + 51);
  REQUIRE(word_named(avx, "ymm3.1") == word_named(avx, "xmm3.1"));
  REQUIRE(word_named(avx, "ymm0.2") == general_words + 72);
  REQUIRE(word_named(avx, "ymm15.3") == general_words + 103);
  REQUIRE(word_named(avx, "ext.0") == general_words);
  REQUIRE(word_named(avx, "ext.103") == general_words + 103);
  for (const char* wrong :
       {"",       "ra",    "raxx",    "xmm",  "xmm.",    "xmm16.0", "xmm3.2", "ymm3.4",
        "xmm3",   "xmm3.", "xmm.1",   "ext.", "ext.104", "ext.-1",  "ext.1x", "ext.9999999999999",
        "zmm1.0", "pad.0", "ymm1x.0", "RAX"}) {
    INFO(wrong);
    REQUIRE_FALSE(word_named(avx, wrong));
  }
  REQUIRE_FALSE(word_named(sse, "ymm3.2"));
  REQUIRE(word_named(sse, "ymm3.1") == word_named(sse, "xmm3.1"));
}
