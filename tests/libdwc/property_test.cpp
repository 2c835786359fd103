// Random programs under random faults.
#include <cstdint>
#include <iostream>

#include "tests/catch.hpp"
#include "tests/libdwc/property.hpp"

using fake::first_property_seed, fake::property_programs;

TEST_CASE("random programs under random faults commit exactly the states of a plain run") {
  fake::Tally tally;
  for (std::uint64_t seed = first_property_seed; seed < first_property_seed + property_programs;
       ++seed) {
    const auto wrong = fake::violation_of<fake::Machine>(seed, tally);
    INFO("seed " << seed);
    REQUIRE(wrong.value_or("") == "");
  }
  std::cout << "seeds " << first_property_seed << " to "
            << first_property_seed + property_programs - 1 << ": " << tally.programs
            << " programs, " << tally.pes << " PEs, " << tally.flips << " flips, "
            << tally.clean_flips << " of them in what a run only reads, " << tally.mismatches
            << " mismatches, " << tally.restarts << " restarts, " << tally.page_budget_ends
            << " page-budget ends, " << tally.evictions << " evictions, " << tally.woken
            << " woken, " << tally.watchdog_expiries << " watchdog expiries, " << tally.classic
            << " classic, " << tally.full_checks << " check=full\n";
  // The test would mean little if these did not happen often.
  CHECK(tally.pes > 10 * property_programs);
  CHECK(tally.flips > property_programs);
  CHECK(tally.clean_flips > property_programs / 10);
  CHECK(tally.mismatches > property_programs);
  CHECK(tally.page_budget_ends > property_programs / 5);
  CHECK(tally.woken > property_programs / 20);
  CHECK(tally.evictions > property_programs / 2);
  CHECK(tally.watchdog_expiries > property_programs / 300);
}
