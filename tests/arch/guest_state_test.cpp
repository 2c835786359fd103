// A guest's registers as words, and where its code lies.
#include <memory>
#include <span>

#include "arch/guest_state.hpp"
#include "arch/guest_walk.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/instructions.hpp"
#include "tests/arch/scripted_guest.hpp"
#include "tests/catch.hpp"

using namespace arch;
using namespace arch::x86;
using namespace scripted_guest;
using Kind = Trap::Kind;

TEST_CASE("the guest runs with its own XCR0, as far as the machine can have that") {
  World world;
  struct Case {
    std::uint64_t own, wanted, loaded;
  };
  constexpr std::uint64_t avx = 7, avx512 = 0xe7;
  for (const auto& [own, wanted, loaded] :
       {Case{avx, avx, avx}, Case{avx, 3, 3}, Case{avx, 1, 1}, Case{avx512, avx512, avx512},
        Case{avx512, avx, avx}, Case{avx, avx512, 1}, Case{avx, 6, 1}, Case{avx512, 5, 1},
        Case{avx512, 0x27, 1}, Case{avx512, 0xe3, 1}, Case{avx, 1ul << 63 | 7, 1}, Case{0, 7, 0}}) {
    CAPTURE(own);
    CAPTURE(wanted);
    board.extended_state.components = x86::cpu.xcr0 = own;
    world.virtual_cpu->xcr0 = wanted;
    std::uint64_t seen = ~0ul;
    const Stay stay = [&seen](World& w, GuestSwitch& s) {
      seen = x86::cpu.xcr0;
      stops(GuestExit::Halt)(w, s);
    };
    static_cast<void>(world.run({stay}));
    CHECK(seen == loaded);
    CHECK(x86::cpu.xcr0 == own);
    CHECK(world.virtual_cpu->xcr0 == wanted);  // a flip in it stays to be found
  }
  board.extended_state.components = x86::cpu.xcr0 = avx;
  world.virtual_cpu->xcr0 = 1;
  const Stay changes = [](World& w, GuestSwitch& s) {
    x86::cpu.xcr0 = 3;  // where XSETBV is no exit
    stops(GuestExit::Halt)(w, s);
  };
  static_cast<void>(world.run({changes}));
  CHECK(world.virtual_cpu->xcr0 == 3);
  CHECK(x86::cpu.xcr0 == avx);
  board.extended_state = {};
}

TEST_CASE("each word that a monitor sets comes back, and the machine keeps what is its own") {
  World world;
  std::uint64_t value = 3;
  for (std::uint64_t& word : world.state.guest) {
    word = value;
    value += 2;
  }
  world.state[GuestWord::Cpl] = 3;
  world.state[GuestWord::Shadow] = 1;
  world.state[GuestWord::Window] = 1;
  world.state[GuestWord::Cr8] = 5;
  const UserState given = world.state;
  load_rest(world.state);
  CHECK(world.block().efer == (given[GuestWord::Efer] | Efer::Svme));
  CHECK((world.block().virtual_interrupt & VirtualInterrupt::Masking) != 0);
  world.state.guest.fill(~0ull);
  save_rest(world.state);
  for (std::size_t i = 0; i < static_cast<std::size_t>(GuestWord::count); ++i) {
    INFO("word " << i);
    if (i == static_cast<std::size_t>(GuestWord::NextRip)) continue;
    CHECK(world.state.guest[i] == given.guest[i]);
  }
  for (std::size_t i = static_cast<std::size_t>(GuestWord::count); i < guest_words; ++i) {
    CHECK(world.state.guest[i] == 0);
  }
}

TEST_CASE("every bit of a guest's words counts in the comparison and in the check word") {
  World world;
  const std::unique_ptr<UserState> other = std::make_unique<UserState>(world.state);
  const std::uint64_t sum = world.state.check_word();
  REQUIRE(world.state.same_as(*other));
  const std::span<std::uint64_t> words = other->words();
  REQUIRE(words.size() == general_words + extended_words + guest_words);
  const std::size_t gap = general_words + board.extended_state.words;
  REQUIRE(gap < general_words + extended_words);
  for (std::size_t i = 0; i < words.size(); ++i) {
    // No register of this machine's is there.
    const bool in_gap = gap <= i && i < general_words + extended_words;
    INFO("word " << i);
    for (unsigned bit = 0; bit < 64; ++bit) {
      words[i] ^= 1ull << bit;
      REQUIRE(world.state.same_as(*other) == in_gap);
      REQUIRE((other->check_word() == sum) == in_gap);
      words[i] ^= 1ull << bit;
    }
  }
}

TEST_CASE("the instruction that stopped the guest has the length of its kind") {
  struct Case {
    GuestExit code;
    std::uint64_t length;
  };
  for (const Case& c :
       {Case{GuestExit::Halt, 1}, Case{GuestExit::Cpuid, 2}, Case{GuestExit::Msr, 2},
        Case{GuestExit::TimeStamp, 2}, Case{GuestExit::TimeStampP, 3}, Case{GuestExit::Call, 3},
        Case{GuestExit::SetExtended, 3}}) {
    World world;
    world.state[Register::Rip] = code_at;
    static_cast<void>(world.run({stops(c.code)}));
    save_rest(world.state);
    skip_instruction(world.state);
    CHECK(world.state[Register::Rip] == code_at + c.length);
  }
  World world;
  static_cast<void>(world.run({stops(GuestExit::InputOutput, 0, 0x4321)}));
  save_rest(world.state);
  CHECK(world.state[GuestWord::NextRip] == 0x4321);
}

// ---- Where a guest's code lies ----

namespace {

// Maps guest-physical pages to frames of their own, and writes the guest's tables there.
struct Memory {
  World& world;
  void map(std::uint64_t page) {
    const auto frame = world.frames.allocate();
    REQUIRE(frame);
    for (std::uint64_t& word : world.frames.words(*frame)) word = 0;
    REQUIRE(world.table->map(reprise::PageNumber{page}, {.frame = *frame, .permissions = {}}));
  }
  std::uint64_t& word(std::uint64_t at) {
    const auto mapping = world.table->find(reprise::PageNumber{at / 4096});
    REQUIRE(mapping);
    return world.frames.words(mapping->frame)[at % 4096 / 8];
  }
};

}  // namespace

TEST_CASE("code is found through every kind of the guest's page tables") {
  World world;
  Memory memory{world};
  Vmcb& block = world.block();
  const auto page_at = [&](std::uint64_t address) {
    const auto page = code_page(world.state, *world.table, address);
    return page ? page->value() : ~0ull;
  };
  CHECK(page_at(0x5123) == 5);  // without paging
  block.segments[1].base = 0x10000;
  CHECK(page_at(0x5123) == 0x15);
  block.segments[1].base = 0;
  for (const std::uint64_t page : {1, 2, 3, 4}) memory.map(page);
  block.cr0 = Cr0::Pg | Cr0::Pe;
  block.cr3 = 0x1000;
  SECTION("32-bit, with pages of 4 KiB and 4 MiB") {
    memory.word(0x1000) = 0x2001;                          // entry 0
    memory.word(0x1000) |= std::uint64_t{0xc00083} << 32;  // entry 1, large
    memory.word(0x2000 + 4 * 6) = 0x7001;                  // page 6
    CHECK(page_at(0x6123) == 7);
    CHECK(page_at(0x5123) == ~0ull);
    block.cr4 = Cr4::Pse;
    CHECK(page_at(0x4ff123) == 0xc00 + 0xff);
  }
  SECTION("PAE") {
    block.cr4 = Cr4::Pae;
    memory.word(0x1000) = 0x2001;
    memory.word(0x2008) = 0x3001;
    memory.word(0x3008) = 0x9001;
    CHECK(page_at(0x201123) == 9);
    memory.word(0x2010) = 0x800081;
    CHECK(page_at(0x4ff123) == 0x800 + 0xff);
  }
  SECTION("4 levels, of which one is absent in guest memory") {
    block.cr4 = Cr4::Pae;
    block.efer = Efer::Lma;
    memory.word(0x1ff8) = 0x2001;
    memory.word(0x2ff0) = 0x3001;
    memory.word(0x3000) = 0x4001;
    memory.word(0x4008) = 0x1234567001;
    CHECK(page_at(0xffffffff80001123) == 0x1234567);
    memory.word(0x3008) = 0x55001;
    CHECK(page_at(0xffffffff80200123) == ~0ull);
  }
}
