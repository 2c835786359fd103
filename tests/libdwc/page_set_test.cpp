#include <array>

#include "libdwc/page_set.hpp"
#include "tests/catch.hpp"
#include "tests/libdwc/programs.hpp"

using namespace fake;
using Entry = dwc::PageEntry<Machine>;
using Set = dwc::PageSet<Machine>;

TEST_CASE("a page set holds as many pages as the smaller of budget and storage") {
  std::array<Entry, 8> storage;
  Set by_budget{storage, 3};
  for (std::size_t i = 0; i < 3; ++i) by_budget.add({.page = page_of(i)});
  CHECK(by_budget.full());
  Set by_storage{storage, 100};
  for (std::size_t i = 0; i < 8; ++i) by_storage.add({.page = page_of(i)});
  CHECK(by_storage.full());
}

TEST_CASE("a page that leaves the set leaves no gap") {
  std::array<Entry, 4> storage;
  Set set{storage, 4};
  for (std::size_t i = 0; i < 4; ++i) set.add({.page = page_of(10 + i)});
  set.remove(set.find(page_of(11)));
  CHECK(set.size() == 3);
  CHECK(set.find(page_of(11)) == nullptr);
  for (const std::size_t i : {10, 12, 13}) CHECK(set.find(page_of(i)) != nullptr);
}

TEST_CASE("a page set counts and finds the pages that a run modified") {
  std::array<Entry, 4> storage;
  Set set{storage, 4};
  for (std::size_t i = 0; i < 4; ++i) {
    Entry entry{.page = page_of(i)};
    entry.first_dirty = i == 1 || i == 3;
    entry.second_dirty = i == 2;
    set.add(entry);
  }
  CHECK(set.count_dirty_in(dwc::WhichRun::First) == 2);
  CHECK(set.dirty_in(dwc::WhichRun::First, 1).page == page_of(3));
  CHECK(set.count_dirty_in(dwc::WhichRun::Second) == 1);
  CHECK(set.dirty_in(dwc::WhichRun::Second, 0).page == page_of(2));
}
