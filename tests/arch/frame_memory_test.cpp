// The page primitives, over every bit of a page: a comparison that misses the last word, or a copy
// that does not reach it, fails here.
#include "arch/frame_memory.hpp"
#include "arch/cache.hpp"
#include "arch/direct_map.hpp"
#include "arch/frame_vector.hpp"

#include <random>

#include "arch/x86_64/instructions.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch;
using reprise::FrameNumber;

namespace {

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

}  // namespace

TEST_CASE("both copies copy a page, the whole page and nothing else, and tell its check word") {
  Frames f;
  for (auto* copy : {copy_frame, copy_frame_at_fault}) {
    clear_frame(f.b);
    for (const auto word : f.memory.words(f.b)) REQUIRE(word == 0);
    REQUIRE(copy(f.b, f.a) == check_word(f.memory.words(f.a)));
    REQUIRE(equal(f.memory.words(f.a), f.memory.words(f.b)));
    REQUIRE(f.neighbours_whole());
  }
}

TEST_CASE("every flipped bit of a page is seen at its word by compare and by the check word") {
  Frames f;
  const std::uint64_t check = copy_frame(f.b, f.a);
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

TEST_CASE("every bit of a page is copied by both copies") {
  Frames f;
  const FrameWords source = f.memory.words(f.a);
  std::size_t missed = 0;
  for (auto* copy : {copy_frame, copy_frame_at_fault}) {
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

TEST_CASE("flushing a frame reaches each of its lines, then fences") {
  Frames f;
  x86::cpu = {};
  x86::cpu.leaves[{1, 0}].ebx = 8 << 8;  // lines of 64 bytes
  flush_frame(f.a);
  REQUIRE(x86::cpu.flushed_lines == 64);
  REQUIRE(x86::cpu.fences == 1);
}
