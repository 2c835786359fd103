#include "libdwc/comparator.hpp"

#include <array>

#include "tests/catch.hpp"
#include "tests/libdwc/programs.hpp"

using namespace fake;

namespace {

struct Bench {
  Machine machine{{}, 1, 4};
  dwc::Settings settings;
  dwc::Statistics statistics;
  dwc::Comparator<Machine> comparator{machine, settings, statistics};
  std::array<dwc::PageEntry<Machine>, 1> storage;
  dwc::PageSet<Machine> set{machine, storage};
  Registers first, second;

  // A page that both runs modified.
  dwc::PageEntry<Machine>& add_page() {
    dwc::PageEntry<Machine>* const entry = set.reserve_place();
    REQUIRE(entry != nullptr);
    entry->page = page_of(0);
    entry->work = *machine.allocate();
    entry->base = *machine.allocate();
    entry->spare = *machine.allocate();
    entry->first_dirty = entry->second_dirty = entry->rewound = true;
    set.add(*entry);
    return *entry;
  }
  auto compare(dwc::Depth depth = dwc::Depth::WholePicture) {
    return comparator.compare(first, second, set, depth);
  }
};

}  // namespace

TEST_CASE("registers agree only when every word does, and each word that differs is listed") {
  Bench bench;
  CHECK_FALSE(bench.compare());
  for (std::size_t word = 0; word < Registers::count; ++word) {
    bench.second = bench.first;
    bench.second.word[word] ^= 42;
    const auto found = bench.compare();
    REQUIRE(found);
    REQUIRE(found->registers.total() == 1);
    CHECK(found->registers.items()[0].word == word);
    CHECK(found->registers.items()[0].second == 42);
    CHECK(found->pages.total() == 0);
  }
}

TEST_CASE(
    "a page that both runs wrote is compared with the first run's frame, else with its base") {
  Bench bench;
  auto& entry = bench.add_page();
  bench.machine.words(entry.base)[7] = 1;
  CHECK_FALSE(bench.compare());
  CHECK(entry.first_check == bench.machine.check_word(entry.spare));
  entry.rewound = false;
  CHECK(bench.compare());
  CHECK(bench.statistics.compares == 2);
}

TEST_CASE("a page that either run modified is compared, a clean one only with check=full") {
  Bench bench;
  auto& entry = bench.add_page();
  bench.machine.words(entry.work)[7] = 1;
  for (const bool first : {false, true}) {
    for (const bool second : {false, true}) {
      entry.first_dirty = first;
      entry.second_dirty = second;
      bench.settings.check = dwc::CheckScope::Dirty;
      CHECK((bench.compare() != nullptr) == (first || second));
      bench.settings.check = dwc::CheckScope::Full;
      CHECK(bench.compare());
    }
  }
}

TEST_CASE("the words of a page that differ are listed with both contents, the last one included") {
  Bench bench;
  auto& entry = bench.add_page();
  bench.machine.words(entry.spare)[3] = 30;
  bench.machine.words(entry.work)[511] = 5110;
  const auto found = bench.compare();
  REQUIRE(found);
  const auto listed = found->pages.items();
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].page == PageNumber{0});
  CHECK(listed[0].word == 3);
  CHECK(listed[0].first == 30);
  CHECK(listed[0].second == 0);
  CHECK(listed[1].word == 511);
  CHECK(listed[1].second == 5110);
}

TEST_CASE("the first difference is enough for a search: no page is compared after it") {
  Bench bench;
  auto& entry = bench.add_page();
  bench.machine.words(entry.work)[7] = 1;
  bench.second.word[0] = 1;
  const auto brief = bench.compare(dwc::Depth::FirstDifference);
  REQUIRE(brief);
  CHECK(brief->pages.total() == 0);
  CHECK(bench.statistics.compares == 0);
  const auto whole = bench.compare();
  REQUIRE(whole);
  CHECK(whole->registers.total() == 1);
  CHECK(whole->pages.total() == 1);
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
