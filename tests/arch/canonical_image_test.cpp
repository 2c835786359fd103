// The canonical form of an XSAVE image, for fake images of CPUs that no emulator here is: whatever
// a component in its initial state has in its bytes, it counts as its initial value, and nothing
// else of the image changes. The layouts are those of Intel's and AMD's CPUs.
#include <array>
#include <random>
#include <vector>

#include "arch/x86_64/extended_state.hpp"
#include "arch/x86_64/registers.hpp"
#include "tests/catch.hpp"

using namespace arch::x86;

namespace {

constexpr unsigned avx = 2, opmask = 5, zmm_hi256 = 6, hi16_zmm = 7, pkru = 9;
using Places = std::array<ExtendedState::Place, 10>;

constexpr Places intel_places{
    {{}, {}, {72, 32}, {}, {}, {136, 8}, {144, 64}, {208, 128}, {}, {336, 1}}};
constexpr Places amd_places{
    {{}, {}, {72, 32}, {}, {}, {104, 8}, {112, 64}, {176, 128}, {}, {304, 1}}};

struct Cpu {
  const char* name;
  ExtendedState layout;
};
const Cpu cpus[] = {
    {"x87 and SSE", {.components = 0x3, .words = 72}},
    {"AVX", {.components = 0x7, .words = 104, .places = intel_places}},
    {"AVX-512, Intel's layout", {.components = 0xe7, .words = 336, .places = intel_places}},
    {"AVX-512 and PKRU, Intel's", {.components = 0x2e7, .words = 337, .places = intel_places}},
    {"AVX-512 and PKRU, AMD's", {.components = 0x2e7, .words = 305, .places = amd_places}},
    {"PKRU without AVX-512", {.components = 0x207, .words = 337, .places = intel_places}},
};

// Which component a word belongs to; -1: to none, or, as MXCSR, to none that can be left out.
int owner(const ExtendedState& layout, std::size_t word) {
  if (word < 3 || (word >= 4 && word < 20)) return 0;
  if (word >= 20 && word < 52) return 1;
  for (int i = 2; i < 10; ++i) {
    const auto [first, count] = layout.places[static_cast<std::size_t>(i)];
    if ((layout.components >> i & 1) != 0 && word >= first && word < first + count) return i;
  }
  return -1;
}

std::vector<std::uint64_t> random_image(const ExtendedState& layout, std::uint64_t in_use) {
  std::mt19937_64 random{layout.words};
  std::vector<std::uint64_t> image(layout.words);
  for (auto& word : image) word = random();
  for (std::size_t i = header_word; i < header_word + header_words; ++i) image[i] = 0;
  image[header_word] = in_use;
  return image;
}

}  // namespace

TEST_CASE("what a component in its initial state has in its bytes does not count") {
  for (const Cpu& cpu : cpus) {
    const std::uint64_t components = cpu.layout.components;
    for (std::uint64_t in_use = 0; in_use <= components; ++in_use) {
      if ((in_use & ~components) != 0) continue;
      const auto before = random_image(cpu.layout, in_use);
      auto image = before;
      make_canonical(image, cpu.layout);
      INFO(cpu.name << ", XSTATE_BV " << in_use);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < image.size(); ++i) {
        const int of = owner(cpu.layout, i);
        const bool initial = of >= 0 && (in_use >> of & 1) == 0;
        std::uint64_t expected = initial ? 0 : before[i];
        if (initial && i == 0) expected = 0x37f;
        if (i == header_word) expected = components;
        wrong += image[i] != expected ? 1 : 0;
      }
      REQUIRE(wrong == 0);
    }
  }
}

TEST_CASE("two images of the same registers, one with a component left out, become equal") {
  const ExtendedState& layout = cpus[3].layout;
  for (const unsigned left_out : {0u, 1u, avx, opmask, zmm_hi256, hi16_zmm, pkru}) {
    auto stored = random_image(layout, layout.components);
    for (std::size_t i = 0; i < stored.size(); ++i) {
      if (owner(layout, i) == static_cast<int>(left_out)) stored[i] = i == 0 ? 0x37f : 0;
    }
    auto absent = stored;
    absent[header_word] &= ~(1ull << left_out);
    for (std::size_t i = 0; i < absent.size(); ++i) {
      if (owner(layout, i) == static_cast<int>(left_out)) absent[i] = 0xdead;
    }
    make_canonical(stored, layout);
    make_canonical(absent, layout);
    REQUIRE(stored == absent);
  }
}

TEST_CASE("upper halves alone stay, with SSE in its initial state") {
  for (const unsigned kept : {avx, zmm_hi256, hi16_zmm}) {
    const ExtendedState& layout = cpus[2].layout;
    const auto before = random_image(layout, 1ull << kept);
    auto image = before;
    make_canonical(image, layout);
    const auto [first, count] = layout.places[kept];
    REQUIRE(std::equal(image.begin() + static_cast<std::ptrdiff_t>(first),
                       image.begin() + static_cast<std::ptrdiff_t>(first + count),
                       before.begin() + static_cast<std::ptrdiff_t>(first)));
    REQUIRE(image[xmm_word] == 0);
    REQUIRE(image[mxcsr_word] == before[mxcsr_word]);  // no bit says that MXCSR is left out
  }
}

TEST_CASE("any bit of a component that is in use stays a difference") {
  for (const Cpu& cpu : cpus) {
    const auto image = random_image(cpu.layout, cpu.layout.components);
    auto canonical = image;
    make_canonical(canonical, cpu.layout);
    for (std::size_t bit = 0; bit < image.size() * 64; bit += 7) {
      if (bit / 64 >= header_word && bit / 64 < header_word + header_words) continue;
      auto flipped = image;
      flipped[bit / 64] ^= 1ull << bit % 64;
      make_canonical(flipped, cpu.layout);
      REQUIRE(flipped != canonical);
    }
  }
}
