// What the engine counts: plain numbers, only ever added to, that a report prints.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "libdwc/events.hpp"

namespace dwc {

// Time by phase, in the platform's ticks. The runs count user time as the controller sees it: from
// the moment it lets the process run to the next event.
struct PhaseTicks {
  std::uint64_t first_run = 0;
  std::uint64_t fault = 0;   // write faults: joining the page set
  std::uint64_t load = 0;    // taking R0, loading the registers for a run
  std::uint64_t rewind = 0;  // to R0 and P0: before the second run, and before a restart
  std::uint64_t flush = 0;
  std::uint64_t second_run = 0;
  std::uint64_t compare_commit = 0;
};

// What differed between two runs; one mismatch may count in several.
struct Mismatches {
  std::uint64_t total = 0;
  std::uint64_t end = 0;
  std::uint64_t registers = 0;
  std::uint64_t pages = 0;
};

struct Statistics {
  static constexpr std::size_t end_kinds = static_cast<std::size_t>(PeEnd::Kind::count);
  static constexpr std::size_t page_buckets = 9;  // 0, 1, 2, 3-4, 5-8, 9-16, 17-32, 33-64, more

  std::uint64_t committed = 0;  // PEs; by_end adds up to it
  std::array<std::uint64_t, end_kinds> by_end{};
  std::array<std::uint64_t, page_buckets> modified_pages{};  // PEs by number of modified pages
  PhaseTicks ticks;
  std::uint64_t longest_pe_ticks = 0;  // from begin to commit, restarts included

  std::uint64_t first_runs = 0;
  std::uint64_t second_runs = 0;

  std::uint64_t copies = 0;  // outside of write faults
  std::uint64_t copies_at_fault = 0;
  std::uint64_t compares = 0;  // of pages
  std::uint64_t write_faults = 0;
  std::uint64_t remaps = 0;
  std::uint64_t evictions = 0;  // predicted pages that gave way to others

  Mismatches mismatches;
  std::uint64_t restarts = 0;
  std::uint64_t snapshot_failures = 0;
  std::uint64_t watchdog_expiries = 0;
  std::uint64_t machine_checks = 0;

  [[nodiscard]] static constexpr std::size_t page_bucket(std::size_t pages) {
    if (pages <= 2) return pages;
    const std::size_t bucket = static_cast<std::size_t>(std::bit_width(pages - 1)) + 1;
    return bucket < page_buckets ? bucket : page_buckets - 1;
  }
};

}  // namespace dwc
