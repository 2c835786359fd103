// Registers as words, against a fake CPU (fake/arch/x86_64/instructions.hpp) whose restoring
// instructions fault like the real ones: also for machines that no emulator here offers.
#include "arch/user_state.hpp"

#include <algorithm>
#include <random>

#include "arch/x86_64/board.hpp"
#include "arch/x86_64/extended_state.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch;
using x86::board;
using x86::cpu;
using x86::FakeCpu;

namespace {

struct Machine {
  const char* name;
  std::uint64_t components;
  std::size_t words;
  std::size_t gap_words = 0;  // behind AVX
  bool base_instructions = false;
};
constexpr Machine machines[] = {
    {"FXSAVE only", 0, 64},
    {"AVX", 0x7, 104, 0, true},
    {"AVX-512, Intel's layout", 0xe7, 336, 32, true},
    {"AVX-512, AMD's layout", 0xe7, 304},
};

// A CPU with something in every register that this machine has.
void become(const Machine& m) {
  cpu = {};
  board.extended_state = {.components = m.components, .words = m.words, .mxcsr_mask = 0xffff};
  board.extended_state.gap = {104, m.gap_words};
  board.base_instructions = m.base_instructions;
  cpu.gap_first = 104;
  cpu.gap_words = m.gap_words;
  cpu.xcr0 = m.components;
  cpu.image_words = m.words;
  std::mt19937_64 random{m.words};
  for (std::size_t i = 0; i < m.words; ++i) {
    const bool upper = i >= 5 && i < 20 && i % 2 == 1;
    const bool reserved = upper || (i >= 52 && i < 72) || i - 104 < m.gap_words;
    cpu.registers[i] = reserved ? 0 : random();
  }
  for (std::size_t i = 4; i < 20; i += 2) cpu.registers[i + 1] = random() & 0xffff;  // ST(i)
  cpu.registers[3] = 0x1fa5;
  cpu.fs_base = 0x7fff12345678;
  cpu.gs_base = 0xffff800000000008;
}

UserState filled(std::uint64_t with) {
  UserState state;
  initialize(state, 0x401000, 0x7ff000);
  for (auto& word : state.extended) word = with;
  return state;
}

bool same_words(const UserState& a, const UserState& b) {
  return std::equal(a.words().begin(), a.words().end(), b.words().begin(), b.words().end());
}

}  // namespace

TEST_CASE("equal registers give equal words, whatever was in the image before") {
  const bool addresses_left_out = GENERATE(false, true);
  for (const Machine& m : machines) {
    become(m);
    if (addresses_left_out) cpu.registers[1] = cpu.registers[2] = 0;  // of the last x87 instruction
    INFO(m.name);
    UserState first = filled(0), second = filled(~0ull);
    save_rest(first);
    save_rest(second);
    REQUIRE(first.words().size() == general_words + m.words);
    REQUIRE(same_words(first, second));
  }
}

TEST_CASE("every register bit of the extended image shows in exactly one bit of the words") {
  for (const Machine& m : machines) {
    become(m);
    INFO(m.name);
    UserState before = filled(0);
    save_rest(before);
    for (std::size_t word = 0; word < m.words; ++word) {
      if ((word >= 52 && word < 72) || word - 104 < m.gap_words) continue;  // of no register
      for (unsigned bit = 0; bit < 64; ++bit) {
        if (word == 3 && bit >= 32) continue;  // MXCSR_MASK is no register
        if (word >= 5 && word < 20 && word % 2 == 1 && bit >= 16) continue;  // nor is that
        cpu.registers[word] ^= 1ull << bit;
        UserState after = filled(word);
        save_rest(after);
        cpu.registers[word] ^= 1ull << bit;
        std::size_t differing = 0;
        for (std::size_t i = 0; i < after.words().size(); ++i) {
          differing += after.words()[i] != before.words()[i] ? 1 : 0;
        }
        REQUIRE(differing == 1);
        REQUIRE((after.extended[word] ^ before.extended[word]) == 1ull << bit);
      }
    }
  }
}

TEST_CASE("x87 in its initial state compares as such, whether the CPU stores it or leaves it out") {
  become(machines[1]);
  for (std::size_t i = 0; i < 20; ++i) {
    if (i != 3) cpu.registers[i] = 0;
  }
  cpu.registers[0] = 0x37f;
  UserState in_use = filled(0), stored = filled(1), left = filled(2);
  save_rest(in_use);
  cpu.in_use = 0x6;
  save_rest(stored);
  cpu.absent = FakeCpu::Absent::Left;
  save_rest(left);
  REQUIRE(same_words(in_use, stored));
  REQUIRE(same_words(in_use, left));
}

TEST_CASE("what comparing may use of the vector registers is put back by load_used, and no more") {
  for (const Machine& m : machines) {
    if (m.components == 0) continue;
    become(m);
    INFO(m.name);
    UserState state = filled(0);
    save_rest(state);
    const auto before = cpu.registers;
    for (std::size_t i = 0; i < m.words; ++i) cpu.registers[i] ^= i == 3 ? 0 : ~0ull;
    const auto spoilt = cpu.registers;
    load_used(state);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < m.words; ++i) {
      const bool reserved = i >= 52 && i < 72;
      const bool x87 = i < 20 && i != 3;
      if (!reserved) wrong += cpu.registers[i] != (x87 ? spoilt : before)[i] ? 1 : 0;
    }
    REQUIRE(wrong == 0);
  }
}

TEST_CASE("every bit of the words counts in the comparison and in the check word") {
  for (const Machine& m : machines) {
    become(m);
    INFO(m.name);
    UserState first = filled(0);
    save_rest(first);
    UserState second = first;
    const std::uint64_t check = first.check_word();
    REQUIRE(first.same_as(second));
    std::size_t missed = 0;
    for (std::size_t bit = 0; bit < second.words().size() * 64; ++bit) {
      std::uint64_t& word = second.words()[bit / 64];
      word ^= 1ull << bit % 64;
      if (first.same_as(second) || second.check_word() == check) ++missed;
      word ^= 1ull << bit % 64;
    }
    REQUIRE(missed == 0);
  }
}

TEST_CASE(
    "a state that begins as another has its general words, each of them, and keeps its rest") {
  become(machines[1]);
  UserState start = filled(1), state = filled(2);
  for (std::size_t i = 0; i < general_words; ++i) start.general[i] = i + 100;
  begin_as(state, start);
  REQUIRE(state.general == start.general);
  REQUIRE(state.extended == filled(2).extended);
}

TEST_CASE("what load_rest puts into the CPU, save_rest finds there") {
  for (const Machine& m : machines) {
    become(m);
    INFO(m.name);
    UserState state = filled(0);
    save_rest(state);
    const FakeCpu before = cpu;
    cpu.registers.fill(0x5555);
    cpu.fs_base = cpu.gs_base = 1;
    cpu.ds = 3;
    load_rest(state);
    REQUIRE(cpu.fs_base == before.fs_base);
    REQUIRE(cpu.gs_base == before.gs_base);
    REQUIRE(cpu.ds == 0);
    UserState again = filled(7);
    save_rest(again);
    REQUIRE(same_words(state, again));
  }
}

TEST_CASE("a fresh process has the initial configuration, in the form in which it is saved") {
  for (const Machine& m : machines) {
    become(m);
    INFO(m.name);
    UserState fresh;
    initialize(fresh, 0x401000, 0x7ff000);
    REQUIRE(fresh[Register::Rip] == 0x401000);
    REQUIRE(fresh[Register::Rsp] == 0x7ff000);
    REQUIRE(fresh[Register::Rflags] == 0x202);
    REQUIRE_FALSE(control_bits_corrupt(fresh));
    load_rest(fresh);
    REQUIRE((cpu.registers[0] & 0xffff) == 0x37f);
    REQUIRE((cpu.registers[3] & 0xffffffff) == 0x1f80);
    UserState saved = fresh;
    save_rest(saved);
    REQUIRE(same_words(fresh, saved));
  }
}

TEST_CASE("no single flipped bit of a state makes loading it fault") {
  for (const Machine& m : machines) {
    become(m);
    INFO(m.name);
    UserState state = filled(0);
    save_rest(state);
    for (std::size_t bit = 0; bit < state.words().size() * 64; ++bit) {
      state.words()[bit / 64] ^= 1ull << bit % 64;
      REQUIRE_NOTHROW(load_rest(state));
      state.words()[bit / 64] ^= 1ull << bit % 64;
    }
  }
}

TEST_CASE("null selectors compare as one, only null and the program's own are loaded") {
  become(machines[1]);
  for (std::uint16_t null = 0; null <= 3; ++null) {
    cpu.ds = cpu.es = cpu.fs = cpu.gs = null;
    UserState state = filled(0);
    save_rest(state);
    for (const Register r : {Register::Ds, Register::Es, Register::Fs, Register::Gs}) {
      REQUIRE(state[r] == 0);
    }
  }
  UserState state = filled(0);
  cpu.ds = cpu.es = cpu.fs = cpu.gs = 0;
  for (std::uint16_t* const one : {&cpu.ds, &cpu.es, &cpu.fs, &cpu.gs}) {
    *one = x86::user_data_selector;
    save_rest(state);
    const std::array saved{state[Register::Ds], state[Register::Es], state[Register::Fs],
                           state[Register::Gs]};
    CHECK(saved == std::array<std::uint64_t, 4>{cpu.ds, cpu.es, cpu.fs, cpu.gs});
    *one = 0;
  }
  save_rest(state);
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t flipped = x86::user_data_selector ^ 1ull << bit;
    const bool privilege_alone = bit < 2;  // ring 3 may load its segments with any
    state[Register::Es] = flipped;
    load_rest(state);
    REQUIRE(cpu.es == (privilege_alone ? flipped : 0));
  }
  state[Register::Es] = state[Register::Fs] = x86::user_data_selector;
  load_rest(state);
  REQUIRE(cpu.es == x86::user_data_selector);
  REQUIRE(cpu.fs_base == state[Register::FsBase]);  // the selector was loaded before the base
}

TEST_CASE("interrupts off and a raised I/O privilege are corrupt, all else ring 3 can do") {
  become(machines[1]);
  UserState state = filled(0);
  for (unsigned bit = 0; bit < 64; ++bit) {
    state[Register::Rflags] ^= 1ull << bit;
    REQUIRE(control_bits_corrupt(state) == (bit == 9 || bit == 12 || bit == 13));
    state[Register::Rflags] ^= 1ull << bit;
  }
}
