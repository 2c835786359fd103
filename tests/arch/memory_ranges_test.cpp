#include "arch/x86_64/memory_ranges.hpp"

#include <array>
#include <random>
#include <set>
#include <vector>

#include "tests/catch.hpp"

using arch::MemoryRange;
using arch::MemoryRanges;

namespace {

using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

Pairs pairs(const MemoryRanges& ranges) {
  Pairs result;
  for (const MemoryRange& r : ranges.ranges()) {
    result.emplace_back(r.start.value(), r.start.value() + r.size);
  }
  return result;
}

}  // namespace

TEST_CASE("ranges that touch or overlap become one, in order") {
  std::array<MemoryRange, 8> storage;
  MemoryRanges ranges{storage};
  CHECK(ranges.add(50, 60));
  CHECK(ranges.add(10, 20));
  CHECK(ranges.add(20, 30));
  CHECK(ranges.add(55, 70));
  CHECK(pairs(ranges) == Pairs{{10, 30}, {50, 70}});
  CHECK(ranges.add(0, 100));
  CHECK(pairs(ranges) == Pairs{{0, 100}});
}

TEST_CASE("a cut in the middle leaves both sides, one over several leaves the outer ends") {
  std::array<MemoryRange, 8> storage;
  MemoryRanges ranges{storage};
  ranges.add(0, 100);
  ranges.add(200, 300);
  CHECK(ranges.cut(40, 60));
  CHECK(pairs(ranges) == Pairs{{0, 40}, {60, 100}, {200, 300}});
  CHECK(ranges.cut(30, 250));
  CHECK(pairs(ranges) == Pairs{{0, 30}, {250, 300}});
}

TEST_CASE("only whole pages stay") {
  std::array<MemoryRange, 4> storage;
  MemoryRanges ranges{storage};
  ranges.add(0x1001, 0x4fff);
  ranges.add(0x6001, 0x6fff);
  ranges.trim_to_pages();
  CHECK(pairs(ranges) == Pairs{{0x2000, 0x4000}});
  CHECK(ranges.total() == 0x2000);
}

TEST_CASE("a full list never keeps what was cut, and says that memory was lost") {
  std::array<MemoryRange, 2> storage;
  MemoryRanges ranges{storage};
  ranges.add(0, 100);
  ranges.add(200, 300);
  CHECK_FALSE(ranges.add(400, 500));
  CHECK_FALSE(ranges.cut(20, 30));
  CHECK(pairs(ranges) == Pairs{{30, 100}, {200, 300}});
  CHECK_FALSE(ranges.cut(280, 290));
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
      REQUIRE((adding ? ranges.add(start, end) : ranges.cut(start, end)));
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
