// The page primitives, over every bit of a page and by every width of vectors: a comparison that
// misses the last word, or a copy that does not reach it, fails here.
#include "arch/frame_memory.hpp"
#include "arch/cache.hpp"
#include "arch/direct_map.hpp"
#include "arch/frame_vector.hpp"

#include <random>

#include "arch/x86_64/board.hpp"
#include "arch/x86_64/instructions.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch;
using reprise::FrameNumber;

namespace {

using x86::VectorOperations;

// Each width of vectors that this computer has: the tests run for each of them.
std::vector<const VectorOperations*> widths() {
  std::vector<const VectorOperations*> found{&x86::sse2_operations};
  if (__builtin_cpu_supports("avx2") != 0) found.push_back(&x86::avx2_operations);
  if (__builtin_cpu_supports("avx512f") != 0) found.push_back(&x86::avx512_operations);
  return found;
}

struct Frames {
  FakeMemory memory;
  FrameNumber below = memory.allocate().value(), a = memory.allocate().value(),
              between = memory.allocate().value(), b = memory.allocate().value(),
              above = memory.allocate().value();
  Frames() {
    std::mt19937_64 random{42};
    for (auto& word : memory.words(a)) word = random();
  }
  [[nodiscard]] bool neighbours_whole() {
    for (const FrameNumber f : {below, between, above}) {
      for (const auto word : memory.words(f)) {
        if (word != 0xdeadbeefdeadbeef) return false;
      }
    }
    return true;
  }
};

bool equal(FrameWords a, FrameWords b) { return std::equal(a.begin(), a.end(), b.begin()); }

// What copies and comparisons are to find: the exclusive or of all words.
std::uint64_t check_word(std::span<const std::uint64_t> words) {
  std::uint64_t check = 0;
  for (const std::uint64_t word : words) check ^= word;
  return check;
}

// As if it told the check word, too.
std::uint64_t unchecked(reprise::FrameNumber to, reprise::FrameNumber from) {
  copy_frame(to, from);
  return check_word(frame_words(to));
}

}  // namespace

TEST_CASE("all copies copy a page, the whole page and nothing else") {
  Frames f;
  x86::board.vector_operations = GENERATE(from_range(widths()));
  for (auto* copy : {checked_copy_of_frame, copy_frame_at_fault, unchecked}) {
    clear_frame(f.b);
    for (const auto word : f.memory.words(f.b)) REQUIRE(word == 0);
    REQUIRE(copy(f.b, f.a) == check_word(f.memory.words(f.a)));
    REQUIRE(equal(f.memory.words(f.a), f.memory.words(f.b)));
    REQUIRE(f.neighbours_whole());
  }
}

// Copies a page with values in the first two registers of a width. What they hold afterwards is
// stored behind them. The host's code may use 128 bytes below its stack pointer.
#define COPY_HOLDING(move, register) \
  asm volatile(                                                                               \
      "sub $128, %%rsp\n\t" move " (%[held]), %%" register "0\n\t" move                      \
      " 64(%[held]), %%" register "1\n\tcall *%[copy]\n\t" move " %%" register               \
      "0, 128(%[held])\n\t" move " %%" register "1, 192(%[held])\n\tadd $128, %%rsp"         \
      : "+D"(to), "+S"(from)                                                                  \
      : [held] "r"(held), [copy] "r"(copy)                                                    \
      : "rax", "rcx", "rdx", "xmm0", "xmm1", "memory", "cc")

TEST_CASE("the copy at a write fault leaves the vector registers as they were") {
  Frames f;
  const VectorOperations* const operations = GENERATE(from_range(widths()));
  const auto copy = operations->copy_page_at_fault;
  alignas(64) std::uint64_t held[32]{};
  for (std::size_t i = 0; i < 16; ++i) held[i] = i + 1;
  const std::uint64_t* from = f.memory.words(f.a).data();
  std::uint64_t* to = f.memory.words(f.b).data();
  std::size_t words = 2;
  if (operations == &x86::sse2_operations) {
    COPY_HOLDING("movups", "xmm");
  } else if (operations == &x86::avx2_operations) {
    words = 4;
    COPY_HOLDING("vmovups", "ymm");
  } else {
    words = 8;
    COPY_HOLDING("vmovups", "zmm");
  }
  for (std::size_t i = 0; i < words; ++i) {
    REQUIRE(held[16 + i] == held[i]);
    REQUIRE(held[24 + i] == held[8 + i]);
  }
  REQUIRE(equal(f.memory.words(f.a), f.memory.words(f.b)));
}

TEST_CASE("the copy at a write fault uses vectors only where all of them are in use already") {
  Frames f;
  static unsigned uses;
  uses = 0;
  x86::VectorOperations counting = x86::sse2_operations;
  counting.copy_page_at_fault = [](std::uint64_t* to, const std::uint64_t* from) {
    ++uses;
    return x86::sse2_operations.copy_page_at_fault(to, from);
  };
  x86::board.vector_operations = &counting;
  struct {
    std::uint64_t components;
    bool tells_use;
    std::uint64_t in_use;
    unsigned uses;
  } const rows[] = {{0, false, 0, 1},      {7, true, 7, 1},       {7, true, 6, 1},
                    {7, true, 3, 0},       {7, true, 5, 0},       {7, false, 7, 0},
                    {0xe7, true, 0xe7, 1}, {0xe7, true, 0xa7, 0}, {0xe7, true, 0x07, 0}};
  for (const auto& row : rows) {
    uses = 0;
    x86::board.extended_state.components = x86::cpu.xcr0 = row.components;
    x86::board.extended_state.tells_use = row.tells_use;
    x86::cpu.in_use = row.in_use;
    clear_frame(f.b);
    CHECK(copy_frame_at_fault(f.b, f.a) == check_word(f.memory.words(f.a)));
    CHECK(equal(f.memory.words(f.a), f.memory.words(f.b)));
    CHECK(uses == row.uses);
  }
  x86::board.extended_state = {};
  x86::cpu = {};
}

TEST_CASE("every flipped bit of a page is seen at its word by compare and by the check word") {
  Frames f;
  x86::board.vector_operations = GENERATE(from_range(widths()));
  const std::uint64_t check = checked_copy_of_frame(f.b, f.a);
  const FrameComparison same = compare_frames(f.a, f.b);
  REQUIRE_FALSE(same.first_difference);
  REQUIRE(same.check_word == check);
  const FrameWords words = f.memory.words(f.b);
  std::size_t missed = 0;
  for (std::size_t bit = 0; bit < reprise::page_size * 8; ++bit) {
    words[bit / 64] ^= 1ull << bit % 64;
    const bool seen = compare_frames(f.a, f.b).first_difference == bit / 64 &&
                      compare_frames(f.b, f.a).first_difference == bit / 64;
    const bool checked = check_word(words) != check;
    words[bit / 64] ^= 1ull << bit % 64;
    if (!seen || !checked) ++missed;
  }
  REQUIRE(missed == 0);
}

TEST_CASE("every bit of a page is copied by all copies") {
  Frames f;
  x86::board.vector_operations = GENERATE(from_range(widths()));
  const FrameWords source = f.memory.words(f.a);
  std::size_t missed = 0;
  for (auto* copy : {checked_copy_of_frame, copy_frame_at_fault, unchecked}) {
    for (std::size_t bit = 0; bit < reprise::page_size * 8; ++bit) {
      source[bit / 64] ^= 1ull << bit % 64;
      const std::uint64_t check = copy(f.b, f.a);
      if (check != check_word(source) || f.memory.words(f.b)[bit / 64] != source[bit / 64])
        ++missed;
    }
  }
  REQUIRE(missed == 0);
}

TEST_CASE("of several differences the first is told") {
  Frames f;
  x86::board.vector_operations = GENERATE(from_range(widths()));
  std::mt19937_64 random{7};
  for (int round = 0; round < 2000; ++round) {
    copy_frame(f.b, f.a);
    std::size_t first = 512;
    for (int i = 0; i < 5; ++i) {
      const std::size_t word = random() % 512;
      f.memory.words(f.b)[word] ^= 1ull << random() % 64;
      if (f.memory.words(f.a)[word] != f.memory.words(f.b)[word]) first = std::min(first, word);
    }
    if (first == 512) continue;
    REQUIRE(compare_frames(f.a, f.b).first_difference == first);
  }
}

TEST_CASE("the same difference at two words of a page is seen, though it cancels in a sum") {
  Frames f;
  x86::board.vector_operations = GENERATE(from_range(widths()));
  copy_frame(f.b, f.a);
  const FrameWords words = f.memory.words(f.b);
  for (std::size_t distance = 1; distance < 512; ++distance) {
    words[0] ^= 1;
    words[distance] ^= 1;
    REQUIRE(compare_frames(f.a, f.b).first_difference == std::size_t{0});
    REQUIRE(x86::board.vector_operations->differing_bits(words.data(), f.memory.words(f.a).data(),
                                                         4096) != 0);
    words[0] ^= 1;
    words[distance] ^= 1;
  }
}

TEST_CASE("every width copies words, sees each flipped bit of them and sums them up alike") {
  constexpr std::size_t most = 128;  // words
  alignas(64) std::array<std::uint64_t, most + 8> a{}, b{};
  const VectorOperations& vectors = *GENERATE(from_range(widths()));
  std::mt19937_64 random{11};
  for (std::size_t words = 8; words <= most; words += 8) {
    for (auto& word : a) word = random();
    b.fill(0xdeadbeef);
    vectors.copy_words(b.data(), a.data(), 8 * words);
    REQUIRE(std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(words), b.begin()));
    REQUIRE(b[words] == 0xdeadbeef);
    const std::uint64_t check = check_word(std::span{a}.first(words));
    REQUIRE(vectors.check_word(a.data(), 8 * words) == check);
    REQUIRE(vectors.differing_bits(a.data(), b.data(), 8 * words) == 0);
    std::size_t missed = 0;
    for (std::size_t bit = 0; bit < 64 * words; ++bit) {
      b[bit / 64] ^= 1ull << bit % 64;
      const bool seen = vectors.differing_bits(a.data(), b.data(), 8 * words) != 0 &&
                        vectors.differing_bits(b.data(), a.data(), 8 * words) != 0;
      const bool checked = vectors.check_word(b.data(), 8 * words) == (check ^ 1ull << bit % 64);
      b[bit / 64] ^= 1ull << bit % 64;
      if (!seen || !checked) ++missed;
    }
    REQUIRE(missed == 0);
  }
}

TEST_CASE("flushing frames reaches each of their lines, and one fence waits for all") {
  Frames f;
  x86::cpu = {};
  x86::cpu.leaves[{1, 0}].ebx = 8 << 8;  // lines of 64 bytes
  flush_frame(f.a);
  flush_frame(f.b);
  REQUIRE(x86::cpu.flushed_lines == 128);
  REQUIRE(x86::cpu.fences == 0);
  await_flushes();
  REQUIRE(x86::cpu.fences == 1);
}
