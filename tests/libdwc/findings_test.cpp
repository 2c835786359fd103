#include "libdwc/findings.hpp"
#include "tests/catch.hpp"

TEST_CASE("the histogram of modified pages has a place for every number, in powers of two") {
  using dwc::Statistics;
  const std::size_t first_of_bucket[] = {0, 1, 2, 3, 5, 9, 17, 33, 65};
  for (std::size_t bucket = 0; bucket < Statistics::page_buckets; ++bucket) {
    CHECK(Statistics::page_bucket(first_of_bucket[bucket]) == bucket);
    if (bucket > 0) CHECK(Statistics::page_bucket(first_of_bucket[bucket] - 1) == bucket - 1);
  }
  CHECK(Statistics::page_bucket(512) == Statistics::page_buckets - 1);
}

TEST_CASE("a shortlist keeps the first eight items and counts the rest") {
  dwc::Shortlist<int> list;
  for (int i = 0; i < 20; ++i) list.add(i);
  CHECK(list.total() == 20);
  REQUIRE(list.items().size() == 8);
  CHECK(list.items().back() == 7);
  list.clear();
  CHECK(list.items().empty());
}
