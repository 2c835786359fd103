// What the engine finds, for a report: numbers that only grow, and the diagnosis of the last
// mismatch.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "libdwc/interface.hpp"

namespace dwc {

// Time by phase, in the core's ticks. A run's time is user time as the controller sees it: from the
// moment at which it lets the context run to the next event.
struct PhaseTicks {
  std::uint64_t first_run = 0;
  std::uint64_t fault = 0;   // write faults: joining the page set
  std::uint64_t load = 0;    // taking R0 and loading the registers for a run
  std::uint64_t rewind = 0;  // to R0 and P0, before the second run and before a restart
  std::uint64_t flush = 0;
  std::uint64_t second_run = 0;
  std::uint64_t convergence = 0;  // the last part of it, in steps, after the counter's stop
  std::uint64_t compare_commit = 0;

  // All that is neither a run nor a write fault.
  [[nodiscard]] std::uint64_t beside_runs() const {
    return load + rewind + flush + convergence + compare_commit;
  }
};

// What differed between two runs. One mismatch may count in several of them.
struct Mismatches {
  std::uint64_t total = 0, end = 0, registers = 0, pages = 0;
  std::uint64_t exception = 0;  // of `end`: a run ended by an exception that the other did not see

  void count(bool ends_agree, bool registers_agree, bool pages_agree) {
    ++total;
    if (!ends_agree) ++end;
    if (!registers_agree) ++registers;
    if (!pages_agree) ++pages;
  }
};

struct Statistics {
  static constexpr std::size_t end_kinds = static_cast<std::size_t>(PeEnd::Kind::count);
  static constexpr std::size_t page_buckets = 9;  // 0, 1, 2, 3-4, 5-8, 9-16, 17-32, 33-64, more

  std::uint64_t committed = 0;  // PEs; by_end adds up to it
  std::array<std::uint64_t, end_kinds> by_end{};
  std::array<std::uint64_t, page_buckets> modified_pages{};  // PEs by number of modified pages
  PhaseTicks ticks;
  std::uint64_t longest_pe_ticks = 0;  // from begin to commit, restarts included

  std::uint64_t first_runs = 0, second_runs = 0;

  std::uint64_t copies = 0, copies_at_fault = 0;  // the first: outside of write faults
  std::uint64_t compares = 0;                     // of pages
  std::uint64_t write_faults = 0;
  std::uint64_t remaps = 0;
  std::uint64_t evictions = 0;      // predicted pages that left because others needed their room
  std::uint64_t flushed_pages = 0;  // from the caches, between the runs

  // Prediction, of pages that committed PEs modified: writable from the start (hits), or let in by
  // a write fault (misses). Of these, some only slept (woken).
  std::uint64_t hits = 0, misses = 0, woken = 0;

  Mismatches mismatches;
  std::uint64_t restarts = 0;
  std::uint64_t snapshot_failures = 0;
  std::uint64_t watchdog_expiries = 0;  // second runs that took too long
  std::uint64_t machine_checks = 0;

  // The search for the position at which the time limit ended the first run (convergence.hpp).
  std::uint64_t converged = 0;
  std::uint64_t steps = 0;       // single steps and arrivals, of all searches
  std::uint64_t most_steps = 0;  // of one that converged
  std::uint64_t candidates = 0;  // positions compared in full
  std::uint64_t failed_convergences = 0;
  std::uint64_t unresolved = 0;  // failed convergences after which no restart was left

  void count_committed(PeEnd::Kind kind, std::size_t pages, std::uint64_t took) {
    ++committed;
    ++by_end[static_cast<std::size_t>(kind)];
    ++modified_pages[page_bucket(pages)];
    if (took > longest_pe_ticks) longest_pe_ticks = took;
  }

  [[nodiscard]] static constexpr std::size_t page_bucket(std::size_t pages) {
    if (pages <= 2) return pages;
    const std::size_t bucket = static_cast<std::size_t>(std::bit_width(pages - 1)) + 1;
    return bucket < page_buckets ? bucket : page_buckets - 1;
  }
};

enum class Verdict : std::uint8_t {
  Divergence,        // the runs differ, again after every restart that was allowed
  SnapshotCorrupt,   // the snapshot has changed, so there is no state to go back to
  Unresolved,        // no convergence, even with the shortest limit: nothing shows an error
  MachineCheck,      // a recoverable one after each restart; the ends below mean nothing
  Nondeterministic,  // an instruction gives another result each time
};

struct WordDifference {
  std::size_t word = 0;  // in Registers::words()
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

template <class PageNumber>
struct PageDifference {
  PageNumber page{};
  std::size_t word = 0;  // of the page
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

// The first few items of a list. The others are only counted.
template <class T>
class Shortlist {
public:
  static constexpr std::size_t capacity = 8;

  void add(const T& item) {
    if (total_ < capacity) items_[total_] = item;
    ++total_;
  }
  void clear() { total_ = 0; }
  [[nodiscard]] std::span<const T> items() const {
    return std::span{items_}.first(total_ < capacity ? total_ : capacity);
  }
  [[nodiscard]] std::size_t total() const { return total_; }

private:
  std::array<T, capacity> items_{};
  std::size_t total_ = 0;
};

// The first words in which two runs differ.
template <class PageNumber>
struct Differences {
  Shortlist<WordDifference> registers;
  Shortlist<PageDifference<PageNumber>> pages;

  [[nodiscard]] bool empty() const { return registers.total() == 0 && pages.total() == 0; }
  void clear() {
    registers.clear();
    pages.clear();
  }
};

// The last two runs that did not agree: how each ended, where, and the first words that differ. It
// is for the report when restarts did not help.
template <class PageNumber>
struct Diagnosis {
  Verdict verdict = Verdict::Divergence;
  std::uint64_t pe = 0;  // its number, from 1
  PeEnd first_end;
  std::optional<PeEnd> second_end;  // nothing if there was no second run; TimeLimit if it did not
                                    // come to the first run's position
  std::uint64_t first_rip = 0;      // at the end of the first run
  std::uint64_t second_rip = 0;     // at the end of the second run, or where it was given up
  Shortlist<WordDifference> registers;
  Shortlist<PageDifference<PageNumber>> pages;
  std::optional<PageNumber> corrupt_page;  // SnapshotCorrupt: nothing means the registers
  std::optional<std::uint64_t> culprit;    // Nondeterministic: RIP of the instruction
};

}  // namespace dwc
