// The property of property_test.cpp, turned on platforms with a bug each: the same programs find
// all of them.
#include "tests/libdwc/seeded_bugs.hpp"

#include <cstdint>
#include <iostream>

#include "tests/catch.hpp"
#include "tests/libdwc/property.hpp"

namespace {

// The first program on which the check fails for a platform with a bug. Prints which, and why.
template <class M>
bool is_found(const char* bug) {
  fake::Tally tally;
  for (std::uint64_t seed = fake::first_property_seed;
       seed < fake::first_property_seed + fake::property_programs; ++seed) {
    const auto wrong = fake::violation_of<M>(seed, tally);
    if (!wrong) continue;
    std::cout << bug << ": program " << seed - fake::first_property_seed + 1 << ", " << *wrong
              << '\n';
    return true;
  }
  return false;
}

}  // namespace

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
