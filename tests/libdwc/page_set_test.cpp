// The page set against a simple model: what is in it, in which queue, in which order, and where its
// own frames are. The same check judges indices that have a bug.
#include "libdwc/page_set.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <list>
#include <map>
#include <string>

#include "tests/catch.hpp"
#include "tests/libdwc/programs.hpp"
#include "tests/libdwc/random_program.hpp"

using namespace fake;
using Entry = dwc::PageEntry<Machine>;
using Set = dwc::PageSet<Machine>;
using dwc::Queue;

namespace {

constexpr std::size_t lent_places = 8;
constexpr std::array<Queue, 3> queues{Queue::Touched, Queue::Clean, Queue::Asleep};

// The page is its own check value.
template <class S>
void add_page(S& set, typename S::Entry& entry, std::size_t page) {
  entry.page = page_of(page);
  entry.base_check = page;
  set.add(entry);
}

template <class S>
void put(S& set, std::size_t page) {
  auto* const entry = set.reserve_place();
  REQUIRE(entry != nullptr);
  add_page(set, *entry, page);
}

// The same set, in containers that nobody doubts.
struct Model {
  std::map<std::uint32_t, Queue> queue_of;
  std::map<Queue, std::list<std::uint32_t>> order;

  void move(std::uint32_t page, Queue queue) {
    remove(page);
    queue_of[page] = queue;
    order[queue].push_back(page);
  }
  void clean_touched() {
    for (const std::uint32_t page : order[Queue::Touched]) queue_of[page] = Queue::Clean;
    order[Queue::Clean].splice(order[Queue::Clean].end(), order[Queue::Touched]);
  }
  void remove(std::uint32_t page) {
    const auto at = queue_of.find(page);
    if (at == queue_of.end()) return;
    order[at->second].remove(page);
    queue_of.erase(at);
  }
};

// The first thing in which the set differs from the model, if there is one.
template <class S>
std::optional<std::string> difference_from(const Model& model, S& set, std::uint32_t pages) {
  if (set.size() != model.queue_of.size()) return "another size";
  for (std::uint32_t page = 0; page < pages; ++page) {
    const Entry* const entry = set.find(PageNumber{page});
    const auto at = model.queue_of.find(page);
    if ((entry != nullptr) != (at != model.queue_of.end())) return "a page lost or left";
    if (entry == nullptr) continue;
    if (entry->page != page_of(page) || entry->base_check != page) return "another page's entry";
    if (entry->queue != at->second) return "in another queue";
  }
  for (const Queue queue : queues) {
    const auto found = model.order.find(queue);
    const std::list<std::uint32_t> expected =
        found == model.order.end() ? std::list<std::uint32_t>{} : found->second;
    auto next = expected.begin();
    for (const Entry& entry : set.of(queue)) {
      if (next == expected.end() || entry.page != page_of(*next)) return "in another order";
      ++next;
    }
    if (next != expected.end()) return "a queue is too short";
  }
  return std::nullopt;
}

// Random operations on a set that grows to some hundreds of pages, shrinks, and grows again, while
// frames run out now and then. What was wrong first.
template <template <class, class> class Index>
std::optional<std::string> violation_of(std::uint64_t seed) {
  constexpr std::uint32_t pages = 1500;
  constexpr std::size_t steps = 6000, frames = 64;
  Random random{seed};
  Machine machine{{}, 1, frames};
  std::array<Entry, lent_places> lent;
  dwc::PageSet<Machine, Index> set{machine, lent};
  Model model;
  std::vector<Frame> taken;  // by others, so that there is none for the set
  for (std::size_t step = 0; step < steps; ++step) {
    const bool grows = step / 1500 % 2 == 0;
    const auto page = static_cast<std::uint32_t>(random.below(pages));
    if (random.one_in(200)) {
      while (const auto frame = machine.allocate()) taken.push_back(*frame);
    } else if (random.one_in(50)) {
      for (const Frame frame : taken) machine.release(frame);
      taken.clear();
    } else if (random.one_in(20)) {
      set.clean_touched();
      model.clean_touched();
    }
    Entry* const entry = set.find(PageNumber{page});
    if ((entry != nullptr) != model.queue_of.contains(page)) return "a page lost or left";
    if (entry == nullptr) {
      if (!grows && !random.one_in(4)) continue;
      Entry* const added = set.reserve_place();
      if (added == nullptr) continue;
      add_page(set, *added, page);
      model.move(page, Queue::Touched);
    } else if (grows && !random.one_in(4)) {
      const Queue queue = queues[random.below(queues.size())];
      set.move(*entry, queue);
      model.move(page, queue);
    } else {
      set.remove(*entry);
      model.remove(page);
    }
    if (step % 100 == 0) {
      if (auto wrong = difference_from(model, set, pages)) return wrong;
    }
  }
  if (auto wrong = difference_from(model, set, pages)) return wrong;
  for (const Queue queue : queues) {
    while (Entry* const entry = set.of(queue).oldest()) set.remove(*entry);
  }
  if (set.frames() != 0 || machine.free_frames() + taken.size() != frames) return "frames leaked";
  return std::nullopt;
}

template <template <class, class> class Index>
bool is_found(const char* bug) {
  constexpr std::uint64_t first_seed = 30'000'000;
  for (std::uint64_t seed = first_seed; seed < first_seed + 20; ++seed) {
    std::optional<std::string> wrong;
    try {
      wrong = violation_of<Index>(seed);
    } catch (const Violation& violation) {
      wrong = violation.what();
    }
    if (!wrong) continue;
    std::cout << bug << ": seed " << seed << ", " << *wrong << '\n';
    return true;
  }
  return false;
}

// ---- Indices with one bug each ----

// A page that leaves takes the rest of its chain along.
template <class S, class E>
struct RemovalLosesChain : dwc::PageIndex<S, E> {
  using dwc::PageIndex<S, E>::PageIndex;
  void remove(E& entry) {
    entry.next_in_bucket = nullptr;
    dwc::PageIndex<S, E>::remove(entry);
  }
};

// Growth makes a bucket, and leaves in the old one what belongs to the new one.
template <class S, class E>
struct GrowthForgets : dwc::PageIndex<S, E> {
  using Base = dwc::PageIndex<S, E>;
  using Base::Base;
  void insert(E& entry) {
    const std::size_t before = this->count_;
    Base::insert(entry);
    if (this->count_ == before || this->count_ % 7 != 0) return;
    E*& fresh = this->bucket(this->count_ - 1);
    if (fresh != nullptr && fresh != &entry) fresh = fresh->next_in_bucket;
  }
};

}  // namespace

TEST_CASE("a page set is what a map and three lists would be, whatever happens to it") {
  for (std::uint64_t seed = 30'000'000; seed < 30'000'020; ++seed) {
    INFO("seed " << seed);
    CHECK(violation_of<dwc::PageIndex>(seed).value_or("") == "");
  }
}

TEST_CASE("the random operations find each bug that an index can have") {
  CHECK(is_found<RemovalLosesChain>("removal loses the rest of a chain"));
  CHECK(is_found<GrowthForgets>("growth forgets an entry"));
}

TEST_CASE("a page that leaves the set leaves no gap") {
  Machine machine{{}, 1, 0};
  std::array<Entry, 4> lent;
  Set set{machine, lent};
  for (std::size_t i = 0; i < 4; ++i) put(set, 10 + i);
  CHECK(set.reserve_place() == nullptr);  // neither a place nor a frame
  set.remove(*set.find(PageNumber{11}));
  CHECK(set.size() == 3);
  CHECK(set.find(PageNumber{11}) == nullptr);
  for (const std::uint32_t i : {10, 12, 13}) CHECK(set.find(PageNumber{i})->page == page_of(i));
  CHECK(set.reserve_place() != nullptr);
}

TEST_CASE("a page set takes frames as it grows, and gives each back as it shrinks") {
  Machine machine{{}, 1, 100};
  std::array<Entry, lent_places> lent;
  Set set{machine, lent};
  constexpr std::size_t pages = 1000;
  for (std::size_t i = 0; i < pages; ++i) put(set, i);
  const std::size_t at_most = pages / (page_bytes / sizeof(Entry) - 1) + 1 + pages / 512 + 1;
  CHECK(set.frames() <= at_most);
  CHECK(machine.free_frames() == 100 - set.frames());
  std::size_t before = set.frames();
  for (std::uint32_t i = 0; i < pages; ++i) {
    set.remove(*set.find(PageNumber{i}));
    CHECK(set.frames() <= before);
    before = set.frames();
  }
  CHECK(machine.free_frames() == 100);
}

TEST_CASE("without a frame for its index a page set finds its pages all the same") {
  Machine machine{{}, 1, 0};
  std::array<Entry, 300> lent;
  Set set{machine, lent};
  for (std::size_t i = 0; i < 300; ++i) put(set, i * 64);  // far more pages than buckets
  CHECK(set.frames() == 0);
  for (std::uint32_t i = 0; i < 300; ++i) REQUIRE(set.find(PageNumber{i * 64}) != nullptr);
  CHECK(set.find(PageNumber{1}) == nullptr);
}

TEST_CASE("a place that was reserved in vain goes back") {
  Machine machine{{}, 1, 3};
  std::array<Entry, 1> lent;
  Set set{machine, lent};
  put(set, 1);
  REQUIRE(set.reserve_place() != nullptr);
  CHECK(machine.free_frames() == 2);
  set.release_place();
  CHECK(machine.free_frames() == 3);
}

TEST_CASE("a new entry has nothing of the page that stood in its place") {
  Machine machine{{}, 1, 0};
  std::array<Entry, 1> lent;
  Set set{machine, lent};
  put(set, 1);
  Entry& old = *set.find(PageNumber{1});
  old.first_dirty = old.second_dirty = old.rewound = old.joined_now = true;
  set.remove(old);
  const Entry* const entry = set.reserve_place();
  REQUIRE(entry != nullptr);
  CHECK_FALSE(entry->dirty_in_either());
  CHECK_FALSE(entry->rewound);
  CHECK_FALSE(entry->joined_now);
}

TEST_CASE("a walk that removes goes on behind the removed page, wherever that is now") {
  for (std::uint32_t removed = 0; removed < 4; ++removed) {
    Machine machine{{}, 1, 0};
    std::array<Entry, 4> lent;
    Set set{machine, lent};
    for (std::size_t i = 0; i < 4; ++i) put(set, i);
    const Entry* const next = set.remove(*set.find(PageNumber{removed}));
    if (removed == 3) {
      CHECK(next == nullptr);
    } else {
      CHECK(next == set.find(PageNumber{removed + 1}));
    }
  }
}

TEST_CASE("a page set counts and finds the pages that a run modified, and those it did not") {
  Machine machine{{}, 1, 0};
  std::array<Entry, 4> lent;
  Set set{machine, lent};
  for (std::size_t i = 0; i < 4; ++i) {
    Entry* const entry = set.reserve_place();
    REQUIRE(entry != nullptr);
    entry->first_dirty = i == 1 || i == 3;
    entry->second_dirty = i == 2;
    add_page(set, *entry, i);
  }
  CHECK(set.count_dirty_in(dwc::WhichRun::First) == 2);
  CHECK(set.dirty_in(dwc::WhichRun::First, 1).page == page_of(3));
  CHECK(set.count_dirty_in(dwc::WhichRun::Second) == 1);
  CHECK(set.dirty_in(dwc::WhichRun::Second, 0).page == page_of(2));
  set.move(*set.find(PageNumber{0}), Queue::Clean);
  CHECK(set.count_clean_in(dwc::WhichRun::First) == 2);
  CHECK(set.clean_in(dwc::WhichRun::First, 0).page == page_of(2));  // touched ones first
  CHECK(set.clean_in(dwc::WhichRun::First, 1).page == page_of(0));
  CHECK(set.count_clean_in(dwc::WhichRun::Second) == 3);
  set.move(*set.find(PageNumber{0}), Queue::Asleep);
  CHECK(set.count_clean_in(dwc::WhichRun::First) == 1);  // not writable
}
