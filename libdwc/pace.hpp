// How long a first run may take, and how many pages a PE may modify. Both may be fixed. Else they
// follow from a bound on the time of a whole PE (`latency_ticks`) and from what PEs have cost on
// this machine so far:
//
//   pages   as many as 11/16 of the bound pays for, by the measured ticks of a page
//   limit   doubled while what a PE costs beside its runs is more than `overhead_share` percent of
//           a run, halved when it is less than a quarter of that; at most 1/8 of the bound
//
// Two runs of 1/8 and the pages' 11/16 leave 1/16 for the registers, the search and the rest. So a
// program that writes few pages has short PEs, and one that writes thousands has PEs in which each
// page is written several times. All of it is a hint: it decides what a PE costs, never what is
// committed. docs/architecture.md ("Turns and waiting") says what each part of the bound is for.
#pragma once

#include <cstddef>
#include <cstdint>

#include "libdwc/findings.hpp"
#include "libdwc/interface.hpp"

namespace dwc {

class Pace {
public:
  static constexpr std::size_t first_budget = 64;  // until a page's cost is known
  static constexpr std::size_t least_budget = 16;
  static constexpr std::size_t most_pages = 65'536;  // page_index.hpp has buckets for them

  explicit Pace(const Settings& settings)
      : settings_{settings},
        limit_{smaller(settings.first_limit_ticks, longest_limit(settings))},
        budget_{settings.page_budget != 0 ? settings.page_budget : first_budget} {}

  // The longest that a first run can become, in ticks; 0: there is no limit.
  [[nodiscard]] static constexpr std::uint64_t longest_limit(const Settings& settings) {
    return settings.limit_ticks != 0 ? settings.limit_ticks : settings.latency_ticks / 8;
  }

  [[nodiscard]] std::uint64_t limit() const {
    return settings_.limit_ticks != 0 ? settings_.limit_ticks : limit_;
  }

  [[nodiscard]] std::size_t budget() const { return budget_; }

  [[nodiscard]] bool limit_is_fixed() const { return settings_.limit_ticks != 0; }

  // Whether the pages' work and both runs, with the first one's write faults, use up the bound.
  [[nodiscard]] bool is_over(std::uint64_t runs, std::size_t pages) const {
    return !limit_is_fixed() && runs + pages * page_ticks_ >= settings_.latency_ticks / 16 * 15;
  }

  // What a PE without restarts has cost. Without a counter a longer run is harder to find the end
  // of, so its limit stays as it is.
  struct PeCost {
    bool out_of_time;        // that ended it
    bool counter;            // there was one
    std::size_t pages;       // modified
    std::uint64_t run;       // ticks of the first run
    std::uint64_t per_page;  // ticks of rewind, comparison and commit
    std::uint64_t beside;    // ticks of all that is neither run nor write fault
  };
  // Whether learn() would make anything of it.
  [[nodiscard]] static bool teaches(std::size_t pages, bool out_of_time) {
    return pages >= enough_pages || out_of_time;
  }
  void learn(const PeCost& cost) {
    if (cost.pages >= enough_pages) learn_page(cost.per_page / cost.pages + 1);
    if (cost.out_of_time && cost.counter) adapt_limit(cost);
  }

private:
  static constexpr std::size_t enough_pages = 16;  // what a PE costs anyway hardly counts then

  [[nodiscard]] static constexpr std::uint64_t smaller(std::uint64_t a, std::uint64_t b) {
    return a < b ? a : b;
  }

  void learn_page(std::uint64_t ticks) {
    page_ticks_ = page_ticks_ == 0 ? ticks : (7 * page_ticks_ + ticks) / 8;
    if (settings_.page_budget != 0) return;
    const std::uint64_t pages = settings_.latency_ticks / 16 * 11 / page_ticks_;
    budget_ = smaller(pages < least_budget ? least_budget : pages, most_pages);
  }

  void adapt_limit(const PeCost& cost) {
    const std::uint64_t allowed = settings_.overhead_share * cost.run;
    if (100 * cost.beside > allowed) {
      limit_ = smaller(2 * limit_, longest_limit(settings_));
    } else if (400 * cost.beside < allowed && limit_ / 2 >= settings_.first_limit_ticks) {
      limit_ /= 2;
    }
  }

  const Settings& settings_;
  std::uint64_t limit_;  // when it is not fixed
  std::size_t budget_;
  std::uint64_t page_ticks_ = 0;  // of a modified page; 0: not known yet
};

}  // namespace dwc
