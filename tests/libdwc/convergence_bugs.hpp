// Platforms and comparators with one bug each that only the search for a position can show: what
// the machine's part of it, or the decision that a position is the right one, could get wrong.
#pragma once

#include "libdwc/comparator.hpp"
#include "tests/libdwc/fake_machine.hpp"
#include "tests/libdwc/seeded_bugs.hpp"

namespace fake {

// ---- Decisions ----

struct RipAlone : Machine {
  using Engine = RipAlone;
  using Machine::Machine;
  static constexpr std::size_t trap_words = 0;
};
struct PagesForgotten : Machine {
  using Engine = PagesForgotten;
  using Machine::Machine;
};
struct ExtendedStateForgotten : Machine {
  using Engine = ExtendedStateForgotten;
  using Machine::Machine;
};

// Looks at the first `words` of the registers, and at pages or not.
template <class M, std::size_t words, bool pages>
class LaxComparator {
public:
  using Found = dwc::Differences<typename M::PageNumber>;

  LaxComparator(M& machine, const dwc::Settings& settings, dwc::Statistics& /*unused*/)
      : machine_{machine}, settings_{settings} {}

  const Found* compare(const Registers& a, const Registers& b, dwc::PageSet<M>& set,
                       dwc::Depth /*unused*/) {
    const std::size_t count = std::min(words, a.word.size());
    bool all_agree = std::equal(a.word.begin(), a.word.begin() + count, b.word.begin());
    for (dwc::PageEntry<M>& entry : set.touched()) {
      const bool full = settings_.check == dwc::CheckScope::Full;
      if (all_agree && (full || entry.dirty_in_either())) all_agree = page_agrees(entry);
    }
    return all_agree ? nullptr : &found_;
  }

private:
  bool page_agrees(dwc::PageEntry<M>& entry) {
    const auto compared = machine_.compare(entry.rewound ? entry.spare : entry.base, entry.work);
    entry.first_check = compared.check_word;
    return !pages || !compared.first_difference;
  }

  M& machine_;
  const dwc::Settings& settings_;
  Found found_;  // stays empty: nobody reads it here
};

}  // namespace fake

template <>
class dwc::Comparator<fake::RipAlone> : public fake::LaxComparator<fake::RipAlone, 0, false> {
  using LaxComparator::LaxComparator;
};
template <>
class dwc::Comparator<fake::PagesForgotten>
    : public fake::LaxComparator<fake::PagesForgotten, fake::Registers::count, false> {
  using LaxComparator::LaxComparator;
};
template <>
class dwc::Comparator<fake::ExtendedStateForgotten>
    : public fake::LaxComparator<fake::ExtendedStateForgotten, fake::Machine::trap_words, true> {
  using LaxComparator::LaxComparator;
};

namespace fake {

// ---- The machine's part ----

// An overflow is believed to have come where it was asked for.
struct OvershootIgnored : Machine {
  using Machine::Machine;
  void stop_at_count(std::uint64_t count) override {
    asked_ = count != 0 ? count : asked_;
    Machine::stop_at_count(count);
  }
  void run_begins(dwc::WhichRun run, const Registers& start) override {
    asked_ = ~std::uint64_t{0};
    Machine::run_begins(run, start);
  }
  std::uint64_t count() override { return std::min(asked_, Machine::count()); }

private:
  std::uint64_t asked_ = ~std::uint64_t{0};
};

struct CountNotRestarted : StepMachine {
  using StepMachine::StepMachine;
  void restart_count() override {
    if (step_ == Step::FirstRun) Machine::restart_count();
  }
};

struct NoBreakpoint : Machine {
  using Machine::Machine;
  void break_at(std::optional<std::uint64_t>) override {}
};

struct RepeatsNotSeen : Machine {
  using Machine::Machine;
  bool repeats() override { return false; }
};

// Never stops within a repeated instruction.
struct StepsOverTarget : Machine {
  using Machine::Machine;
  void step(const Registers& target) override {
    Registers elsewhere = target;
    elsewhere.word[Registers::ip] = ~std::uint64_t{0};
    Machine::step(elsewhere);
  }
};

// Once the second run is under way, what a comparison wrecked stays wrecked.
struct NotLoadedAgain : StepMachine {
  using StepMachine::StepMachine;
  void reload() override {}
  void complete() override {
    if (step_ != Step::AfterSecond) Machine::complete();
  }
};

}  // namespace fake
