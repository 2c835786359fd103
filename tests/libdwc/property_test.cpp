// Random programs under random faults, and the same check turned on platforms with a bug each.
#include <cstdint>
#include <iostream>

#include "tests/catch.hpp"
#include "tests/libdwc/property.hpp"
#include "tests/libdwc/seeded_bugs.hpp"

namespace {

constexpr std::uint64_t first_seed = 20'000'000;
constexpr std::uint64_t programs = 30'000;

// The first program on which the check fails for a platform with a bug. Prints which, and why.
template <class M>
bool is_found(const char* bug) {
  fake::Tally tally;
  for (std::uint64_t seed = first_seed; seed < first_seed + programs; ++seed) {
    const auto wrong = fake::violation_of<M>(seed, tally);
    if (!wrong) continue;
    std::cout << bug << ": program " << seed - first_seed + 1 << ", " << *wrong << '\n';
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("random programs under random faults commit exactly the states of a plain run") {
  fake::Tally tally;
  for (std::uint64_t seed = first_seed; seed < first_seed + programs; ++seed) {
    const auto wrong = fake::violation_of<fake::Machine>(seed, tally);
    INFO("seed " << seed);
    REQUIRE(wrong.value_or("") == "");
  }
  std::cout << "seeds " << first_seed << " to " << first_seed + programs - 1 << ": "
            << tally.programs << " programs, " << tally.pes << " PEs, " << tally.flips << " flips, "
            << tally.clean_flips << " of them in what a run only reads, " << tally.mismatches
            << " mismatches, " << tally.restarts << " restarts, " << tally.page_budget_ends
            << " page-budget ends, " << tally.evictions << " evictions, " << tally.woken
            << " woken, " << tally.watchdog_expiries << " watchdog expiries, " << tally.classic
            << " classic, " << tally.full_checks << " check=full\n";
  // The test would mean little if these did not happen often.
  CHECK(tally.pes > 10 * programs);
  CHECK(tally.flips > programs);
  CHECK(tally.clean_flips > programs / 10);
  CHECK(tally.mismatches > programs);
  CHECK(tally.page_budget_ends > programs / 5);
  CHECK(tally.woken > programs / 20);
  CHECK(tally.evictions > programs / 2);
  CHECK(tally.watchdog_expiries > programs / 300);
}

TEST_CASE("the random programs find each bug that a platform can have") {
  CHECK(is_found<fake::CompareSkipsLastWord>("comparison skips the last word"));
  CHECK(is_found<fake::StaleFrameAfterRestart>("stale frame after a restart"));
  CHECK(is_found<fake::CopySkipsLastWord>("copy skips the last word"));
  CHECK(is_found<fake::NothingInvalidatedBetweenRuns>("no invalidation between the runs"));
  CHECK(is_found<fake::NothingInvalidatedAfterCommit>("no invalidation after commit"));
  CHECK(is_found<fake::PageNotInvalidated>("no invalidation at a write fault"));
  CHECK(is_found<fake::DirtyBitStays>("dirty bit never cleared"));
  CHECK(is_found<fake::NeverProtectedAgain>("pages never write-protected again"));
  CHECK(is_found<fake::OnlyFirstRunsPages>("only the first run's pages compared"));
  CHECK(is_found<fake::OnlySecondRunsPages>("only the second run's pages compared"));
  CHECK(is_found<fake::ExtendedStateNotFetched>("extended state not fetched"));
  CHECK(is_found<fake::ExtendedStateNotRewound>("extended state not rewound"));
  CHECK(is_found<fake::SharedFrameTakenForOwn>("shared frame taken for an own one"));
  CHECK(is_found<fake::CleanPagesNotRestored>("clean pages not restored"));
  CHECK(is_found<fake::NothingFlushedBeforeRestart>("no flush before a restart"));
  CHECK(is_found<fake::SecondRunOnlyPretended>("second run only pretended"));
}
