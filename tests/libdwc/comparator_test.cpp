#include "libdwc/comparator.hpp"

#include <array>

#include "tests/catch.hpp"
#include "tests/libdwc/programs.hpp"

using namespace fake;

namespace {

struct Bench {
  Machine machine{{}, 1, 4};
  dwc::Statistics statistics;
  dwc::Diagnosis<Machine::PageNumber> diagnosis;
  dwc::Comparator<Machine> comparator{machine, statistics, diagnosis};
};

}  // namespace

TEST_CASE("registers agree only when every word does, and each word that differs is listed") {
  Bench bench;
  Registers first, second;
  CHECK(bench.comparator.registers_agree(first.words(), second.words()));
  for (std::size_t word = 0; word < Registers::count; ++word) {
    second = first;
    second.word[word] = 42;
    bench.diagnosis.registers.clear();
    CHECK_FALSE(bench.comparator.registers_agree(first.words(), second.words()));
    REQUIRE(bench.diagnosis.registers.total() == 1);
    CHECK(bench.diagnosis.registers.items()[0].word == word);
    CHECK(bench.diagnosis.registers.items()[0].second == 42);
  }
}

TEST_CASE(
    "a page that both runs wrote is compared with the first run's frame, else with its base") {
  Bench bench;
  dwc::PageEntry<Machine> entry{.page = page_of(0),
                                .work = *bench.machine.allocate(),
                                .base = *bench.machine.allocate(),
                                .spare = *bench.machine.allocate()};
  bench.machine.words(entry.base)[7] = 1;
  entry.rewound = true;
  CHECK(bench.comparator.page_agrees(entry));
  CHECK(entry.first_check == bench.machine.check_word(entry.spare));
  entry.rewound = false;
  CHECK_FALSE(bench.comparator.page_agrees(entry));
  CHECK(bench.statistics.compares == 2);
}

TEST_CASE("the words of a page that differ are listed with both contents, the last one included") {
  Bench bench;
  dwc::PageEntry<Machine> entry{
      .page = page_of(0), .work = *bench.machine.allocate(), .spare = *bench.machine.allocate()};
  entry.rewound = true;
  bench.machine.words(entry.spare)[3] = 30;
  bench.machine.words(entry.work)[511] = 5110;
  CHECK_FALSE(bench.comparator.page_agrees(entry));
  const auto listed = bench.diagnosis.pages.items();
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].word == 3);
  CHECK(listed[0].first == 30);
  CHECK(listed[0].second == 0);
  CHECK(listed[1].word == 511);
  CHECK(listed[1].second == 5110);
}

TEST_CASE("a check word changes with every single bit of what it covers") {
  std::array<std::uint64_t, 512> words{};
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = i * 0x0123456789abcdef;
  const std::uint64_t intact = dwc::check_word(words);
  std::size_t unnoticed = 0;
  for (std::size_t bit = 0; bit < 64 * words.size(); ++bit) {
    words[bit / 64] ^= std::uint64_t{1} << bit % 64;
    unnoticed += dwc::check_word(words) == intact ? 1 : 0;
    words[bit / 64] ^= std::uint64_t{1} << bit % 64;
  }
  CHECK(unnoticed == 0);
  CHECK(dwc::check_word(words) == intact);
}

TEST_CASE("a check word tells words in another order apart") {
  const std::array<std::uint64_t, 3> one{1, 2, 3}, other{2, 1, 3};
  CHECK(dwc::check_word(one) != dwc::check_word(other));
}
