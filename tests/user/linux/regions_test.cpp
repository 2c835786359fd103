#include "user/linux/regions.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>

using namespace personality;

namespace {

constexpr std::uint64_t page = 4096, low = 0x100000, pages = 200;
using Model = std::map<std::uint64_t, std::pair<std::uint32_t, bool>>;  // page number -> state

void same(const Regions& regions, const Model& model) {
  Model found;
  for (std::size_t i = 0; i < regions.count(); ++i) {
    const Region& region = regions[i];
    REQUIRE(region.start < region.end);
    if (i > 0) {
      const Region& before = regions[i - 1];
      REQUIRE(before.end <= region.start);
      const bool alike = before.protection == region.protection && before.backed == region.backed;
      REQUIRE_FALSE((before.end == region.start && alike));
    }
    for (std::uint64_t at = region.start; at < region.end; at += page) {
      found[at] = {region.protection, region.backed};
    }
  }
  REQUIRE(found == model);
}

}  // namespace

TEST_CASE("regions say the same as a map of pages, sorted, apart and merged") {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto regions = std::make_unique<Regions>();
    regions->clear();
    Model model;
    for (int step = 0; step < 200; ++step) {
      const std::uint64_t start = low + random() % pages * page;
      const std::uint64_t end = start + (1 + random() % 20) * page;
      if (random() % 2 == 0) {
        const Region region{start, end, static_cast<std::uint32_t>(random() % 3),
                            random() % 2 == 0};
        REQUIRE(regions->insert(region));
        for (auto at = start; at < end; at += page) model[at] = {region.protection, region.backed};
      } else {
        REQUIRE(regions->carve(start, end));
        for (auto at = start; at < end; at += page) model.erase(at);
      }
      same(*regions, model);
      const std::uint64_t at = low + random() % pages * page;
      const std::uint64_t bytes = (1 + random() % 8) * page;
      bool free = true;
      for (auto i = at; i < at + bytes; i += page) free = free && !model.contains(i);
      REQUIRE(regions->is_free(at, at + bytes) == free);
      const std::uint64_t gap = regions->find_gap(low, low + 300 * page, bytes, page);
      REQUIRE(gap != 0);
      REQUIRE(regions->is_free(gap, gap + bytes + page));
    }
  }
}

TEST_CASE("a full table refuses and stays as it is") {
  const auto regions = std::make_unique<Regions>();
  regions->clear();
  std::uint64_t at = low;
  while (regions->insert({at, at + 3 * page, 1, true})) at += 4 * page;
  CHECK(regions->count() >= Regions::capacity - 2);
  const std::size_t count = regions->count();
  CHECK_FALSE(regions->insert({at, at + page, 1, true}));
  CHECK(regions->count() == count);
  CHECK(regions->find_gap(low, at, 2 * page, 0) == 0);
}
