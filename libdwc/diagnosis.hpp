// What is kept of the last two runs that did not agree, for the report when restarts did not help:
// how each ended, where, and the first words that differ.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "libdwc/events.hpp"
#include "libdwc/platform.hpp"

namespace dwc {

enum class Verdict : std::uint8_t {
  Divergence,       // the runs differ, again after every restart that was allowed
  SnapshotCorrupt,  // the state to go back to has changed itself
  TooLong,          // the first run exceeded its time, and did so again
  MachineCheck,     // recoverable ones, again after every restart; the ends below mean nothing
};

struct RegisterDifference {
  std::size_t index = 0;  // of the word in Registers::words()
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

template <class Page>
struct PageDifference {
  Page page{};
  std::size_t word = 0;
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

// The first few of something; the rest is counted only.
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

template <Platform P>
struct Diagnosis {
  Verdict verdict = Verdict::Divergence;
  std::uint64_t pe = 0;  // its number, from 1
  PeEnd first_end;
  std::optional<PeEnd> second_end;  // nothing when the first run was given up
  std::uint64_t first_rip = 0;      // of each run's end; 0 when the platform names no rip_word
  std::uint64_t second_rip = 0;
  Shortlist<RegisterDifference> registers;
  Shortlist<PageDifference<typename P::Page>> pages;
  std::optional<typename P::Page> corrupt_page;  // SnapshotCorrupt: nothing means the registers
};

// A platform may say which word of its registers is the instruction pointer, for the report.
template <Platform P>
[[nodiscard]] std::uint64_t instruction_pointer(const typename P::Registers& registers) {
  if constexpr (requires { P::rip_word; }) return registers.words()[P::rip_word];
  return 0;
}

}  // namespace dwc
