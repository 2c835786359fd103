// How long a PE may be: what follows from the bound, from what PEs have cost, and what is fixed.
#include "libdwc/pace.hpp"

#include "tests/catch.hpp"

using dwc::Pace;

namespace {

constexpr std::uint64_t latency = 16'000'000;  // ticks
constexpr std::uint64_t first_limit = 200'000;
constexpr std::uint64_t page_ticks = 1'000;
constexpr std::size_t budget_for_page_ticks = 11'000;  // 11/16 of the latency

dwc::Settings automatic() {
  dwc::Settings settings;
  settings.page_budget = 0;
  settings.latency_ticks = latency;
  settings.first_limit_ticks = first_limit;
  settings.overhead_share = 3;
  return settings;
}

// A PE that modified so many pages, each of which cost so much.
Pace::PeCost with_pages(std::size_t pages, std::uint64_t each) {
  return {.out_of_time = false,
          .counter = true,
          .pages = pages,
          .run = first_limit,
          .per_page = pages * (each - 1),
          .beside = 0};
}

// A PE that its time ended, with a share of its run, in percent, spent beside the runs.
Pace::PeCost out_of_time(const Pace& pace, std::uint64_t percent, bool counter = true) {
  return {.out_of_time = true,
          .counter = counter,
          .pages = 0,
          .run = pace.limit(),
          .per_page = 0,
          .beside = pace.limit() * percent / 100};
}

}  // namespace

TEST_CASE("a PE may modify as many pages as 11/16 of the bound pays for") {
  const dwc::Settings settings = automatic();
  Pace pace{settings};
  CHECK(pace.budget() == Pace::first_budget);
  pace.learn(with_pages(100, page_ticks));
  CHECK(pace.budget() == budget_for_page_ticks);
  for (int pe = 0; pe < 100; ++pe) pace.learn(with_pages(100, 2 * page_ticks));
  CHECK(pace.budget() >= budget_for_page_ticks / 2);
  CHECK(pace.budget() <= budget_for_page_ticks / 2 * 101 / 100);
}

TEST_CASE("the budget learns from PEs of 16 pages or more, and stays within its bounds") {
  const dwc::Settings settings = automatic();
  Pace pace{settings};
  CHECK_FALSE(Pace::teaches(15, false));
  CHECK(Pace::teaches(16, false));
  CHECK(Pace::teaches(0, true));
  pace.learn(with_pages(15, page_ticks));
  CHECK(pace.budget() == Pace::first_budget);
  pace.learn(with_pages(16, 2 * latency));
  CHECK(pace.budget() == Pace::least_budget);
  for (int pe = 0; pe < 200; ++pe) pace.learn(with_pages(16, 2));
  CHECK(pace.budget() == Pace::most_pages);
}

TEST_CASE("the limit doubles while overhead is above the share, up to an eighth of the bound") {
  const dwc::Settings settings = automatic();
  Pace pace{settings};
  CHECK(pace.limit() == first_limit);
  pace.learn(out_of_time(pace, 3));
  CHECK(pace.limit() == first_limit);
  pace.learn(out_of_time(pace, 4));
  CHECK(pace.limit() == 2 * first_limit);
  for (int pe = 0; pe < 10; ++pe) pace.learn(out_of_time(pace, 50));
  CHECK(pace.limit() == latency / 8);
  CHECK(Pace::longest_limit(settings) == latency / 8);
}

TEST_CASE("the limit is halved where overhead is below a quarter of the share, down to the first") {
  const dwc::Settings settings = automatic();
  Pace pace{settings};
  for (int pe = 0; pe < 2; ++pe) pace.learn(out_of_time(pace, 50));
  REQUIRE(pace.limit() == 4 * first_limit);
  pace.learn(out_of_time(pace, 1));
  CHECK(pace.limit() == 4 * first_limit);
  for (int pe = 0; pe < 10; ++pe) pace.learn(out_of_time(pace, 0));
  CHECK(pace.limit() == first_limit);
}

TEST_CASE("only a PE that its time ended changes the limit, and none does without a counter") {
  const dwc::Settings settings = automatic();
  Pace pace{settings};
  Pace::PeCost costly = out_of_time(pace, 50);
  costly.out_of_time = false;
  pace.learn(costly);
  pace.learn(out_of_time(pace, 50, false));
  CHECK(pace.limit() == first_limit);
}

TEST_CASE("a first limit above what the bound allows is cut to it") {
  dwc::Settings settings = automatic();
  settings.latency_ticks = first_limit;
  const Pace pace{settings};
  CHECK(pace.limit() == first_limit / 8);
}

TEST_CASE("a PE is over when runs and the work on its pages use up 15/16 of the bound") {
  const dwc::Settings settings = automatic();
  Pace pace{settings};
  const std::uint64_t most = latency / 16 * 15;
  CHECK_FALSE(pace.is_over(most - 1, 10'000));  // a page's cost is not known yet
  CHECK(pace.is_over(most, 0));
  pace.learn(with_pages(100, page_ticks));
  CHECK_FALSE(pace.is_over(most - 1 - 5'000 * page_ticks, 5'000));
  CHECK(pace.is_over(most - 5'000 * page_ticks, 5'000));
}

TEST_CASE("what is fixed stays as it is, whatever PEs cost") {
  dwc::Settings settings = automatic();
  settings.page_budget = 10;
  settings.limit_ticks = first_limit;
  Pace pace{settings};
  pace.learn(with_pages(100, page_ticks));
  pace.learn(out_of_time(pace, 90));
  CHECK(pace.budget() == 10);
  CHECK(pace.limit() == first_limit);
  CHECK(Pace::longest_limit(settings) == first_limit);
  CHECK(pace.limit_is_fixed());
  CHECK_FALSE(pace.is_over(10 * latency, 10'000));
}
