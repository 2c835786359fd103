#include "arch/x86_64/memory_ranges.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <vector>

#include "tests/catch.hpp"

using arch::MemoryRange;
using arch::MemoryRanges;

namespace {

using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

constexpr std::uint64_t page = reprise::page_size;

void add(MemoryRanges& ranges, std::uint64_t start, std::uint64_t end) {
  ranges.add(start * page, end * page);
}
void cut(MemoryRanges& ranges, std::uint64_t start, std::uint64_t end) {
  ranges.cut(start * page, end * page);
}
// In pages, by address.
Pairs pairs(const MemoryRanges& ranges) {
  Pairs result;
  for (const MemoryRange& r : ranges.ranges()) {
    REQUIRE(r.start.value() % page == 0);
    REQUIRE(r.size % page == 0);
    result.emplace_back(r.start.value() / page, (r.start.value() + r.size) / page);
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

TEST_CASE("ranges that touch or overlap become one") {
  std::array<MemoryRange, 8> storage;
  MemoryRanges ranges{storage};
  add(ranges, 50, 60);
  add(ranges, 10, 20);
  add(ranges, 20, 30);
  add(ranges, 55, 70);
  CHECK(pairs(ranges) == Pairs{{10, 30}, {50, 70}});
  add(ranges, 0, 100);
  CHECK(pairs(ranges) == Pairs{{0, 100}});
}

TEST_CASE("a cut in the middle leaves both sides, one over several leaves the outer ends") {
  std::array<MemoryRange, 8> storage;
  MemoryRanges ranges{storage};
  add(ranges, 0, 100);
  add(ranges, 200, 300);
  cut(ranges, 40, 60);
  CHECK(pairs(ranges) == Pairs{{0, 40}, {60, 100}, {200, 300}});
  cut(ranges, 30, 250);
  CHECK(pairs(ranges) == Pairs{{0, 30}, {250, 300}});
}

TEST_CASE("only whole pages come in, and a page goes out when a byte of it does") {
  std::array<MemoryRange, 4> storage;
  MemoryRanges ranges{storage};
  ranges.add(0x1001, 0x4fff);
  ranges.add(0x6001, 0x6fff);
  CHECK(pairs(ranges) == Pairs{{2, 4}});
  CHECK(ranges.total() == 0x2000);
  ranges.cut(0x2fff, 0x3000);
  CHECK(pairs(ranges) == Pairs{{3, 4}});
  ranges.cut(0x3000, 0x3000);
  CHECK(pairs(ranges) == Pairs{{3, 4}});
}

TEST_CASE("a full list never keeps what was cut, and loses the shorter part") {
  std::array<MemoryRange, 2> storage;
  MemoryRanges ranges{storage};
  add(ranges, 0, 100);
  add(ranges, 200, 300);
  add(ranges, 400, 500);
  cut(ranges, 20, 30);
  CHECK(pairs(ranges) == Pairs{{30, 100}, {200, 300}});
  cut(ranges, 280, 290);
  CHECK(pairs(ranges) == Pairs{{30, 100}, {200, 280}});
}

TEST_CASE("random additions and cuts leave the same addresses as a set of numbers does") {
  std::mt19937 random{20240607};
  for (int round = 0; round < 500; ++round) {
    std::array<MemoryRange, 64> storage;
    MemoryRanges ranges{storage};
    std::set<std::uint64_t> expected;
    for (int step = 0; step < 40; ++step) {
      const std::uint64_t start = random() % 100;
      const std::uint64_t end = start + random() % 20;
      const bool adding = random() % 3 != 0;
      adding ? add(ranges, start, end) : cut(ranges, start, end);
      for (std::uint64_t i = start; i < end; ++i) {
        if (adding) expected.insert(i); else expected.erase(i);
      }
    }
    std::set<std::uint64_t> found;
    std::uint64_t last_end = 0;
    for (const auto& [start, end] : pairs(ranges)) {
      CHECK((start > last_end || last_end == 0));
      for (std::uint64_t i = start; i < end; ++i) found.insert(i);
      last_end = end;
    }
    REQUIRE(found == expected);
  }
}
