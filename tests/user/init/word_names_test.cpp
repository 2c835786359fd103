// Every word has a name of its own, and the name leads back to the word. People use the same names.
#include "user/init/word_names.hpp"

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "arch/user_state.hpp"
#include "kernel/abi/guest.h"
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
          word < 26 || (word >= general_words && word < general_words + layout.words) ||
          (word >= program_register_words && word < program_register_words + named_guest_words);
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

TEST_CASE("a guest's own words are in the order of the state that its monitor sets") {
  const auto word_of = [](std::size_t offset) { return program_register_words + offset / 8; };
  constexpr std::size_t first = offsetof(reprise_guest_state, es);
  const std::pair<const char*, std::size_t> words[] = {
      {"es.attr", offsetof(reprise_guest_state, es)},
      {"es.base", offsetof(reprise_guest_state, es) + 8},
      {"cs.base", offsetof(reprise_guest_state, cs) + 8},
      {"ss.attr", offsetof(reprise_guest_state, ss)},
      {"ds.attr", offsetof(reprise_guest_state, ds)},
      {"fs.base", offsetof(reprise_guest_state, fs) + 8},
      {"gs.attr", offsetof(reprise_guest_state, gs)},
      {"gdtr.base", offsetof(reprise_guest_state, gdtr) + 8},
      {"ldtr.attr", offsetof(reprise_guest_state, ldtr)},
      {"idtr.base", offsetof(reprise_guest_state, idtr) + 8},
      {"tr.attr", offsetof(reprise_guest_state, tr)},
      {"cr0", offsetof(reprise_guest_state, cr0)},
      {"cr2", offsetof(reprise_guest_state, cr2)},
      {"cr3", offsetof(reprise_guest_state, cr3)},
      {"cr4", offsetof(reprise_guest_state, cr4)},
      {"cr8", offsetof(reprise_guest_state, cr8)},
      {"efer", offsetof(reprise_guest_state, efer)},
      {"dr0", offsetof(reprise_guest_state, dr0)},
      {"dr3", offsetof(reprise_guest_state, dr3)},
      {"dr6", offsetof(reprise_guest_state, dr6)},
      {"dr7", offsetof(reprise_guest_state, dr7)},
      {"star", offsetof(reprise_guest_state, star)},
      {"lstar", offsetof(reprise_guest_state, lstar)},
      {"cstar", offsetof(reprise_guest_state, cstar)},
      {"sfmask", offsetof(reprise_guest_state, sfmask)},
      {"kernel_gs_base", offsetof(reprise_guest_state, kernel_gs_base)},
      {"sysenter_cs", offsetof(reprise_guest_state, sysenter_cs)},
      {"sysenter_esp", offsetof(reprise_guest_state, sysenter_esp)},
      {"sysenter_eip", offsetof(reprise_guest_state, sysenter_eip)},
      {"pat", offsetof(reprise_guest_state, pat)},
      {"cpl", offsetof(reprise_guest_state, cpl)},
      {"shadow", offsetof(reprise_guest_state, shadow)},
      {"event", offsetof(reprise_guest_state, event)},
      {"next_rip", offsetof(reprise_guest_state, next_rip)},
      {"xcr0", offsetof(reprise_guest_state, xcr0)},
      {"window", offsetof(reprise_guest_state, window)},
  };
  for (const auto& [name, offset] : words) {
    INFO(name);
    REQUIRE(word_named(sse, name) == word_of(offset - first));
  }
  REQUIRE(sizeof(reprise_guest_state) - first == named_guest_words * 8);
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
       {"",       "ra",    "raxx",    "xmm",  "xmm.",    "xmm16.0",  "xmm3.2", "ymm3.4",
        "xmm3",   "xmm3.", "xmm.1",   "ext.", "ext.104", "ext.-1",   "ext.1x", "ext.9999999999999",
        "zmm1.0", "pad.0", "ymm1x.0", "RAX",  "cs.",     "cs.limit", "es.bas"}) {
    INFO(wrong);
    REQUIRE_FALSE(word_named(avx, wrong));
  }
  REQUIRE_FALSE(word_named(sse, "ymm3.2"));
  REQUIRE(word_named(sse, "ymm3.1") == word_named(sse, "xmm3.1"));
}
