// Platforms with one bug each: what an engine, or the machine's part of it, could get wrong. The
// tests must find every one, else they prove nothing about the engine without it.
#pragma once

#include <optional>
#include <vector>

#include "tests/libdwc/fake_machine.hpp"

namespace fake {

// Which step of a PE the engine is at, seen from the platform.
class StepMachine : public Machine {
public:
  using Machine::Machine;
  void run_begins(dwc::WhichRun run, const Registers& start) override {
    step_ = run == dwc::WhichRun::First ? Step::FirstRun : Step::SecondRun;
    Machine::run_begins(run, start);
  }
  void run_ended(dwc::WhichRun run) override {
    step_ = run == dwc::WhichRun::First ? Step::BetweenRuns : Step::AfterSecond;
    Machine::run_ended(run);
  }

protected:
  enum class Step : std::uint8_t { FirstRun, BetweenRuns, SecondRun, AfterSecond };
  Step step_ = Step::AfterSecond;
};

struct CompareSkipsLastWord : Machine {
  using Machine::Machine;
  dwc::Comparison compare(Frame a, Frame b) override {
    dwc::Comparison result = Machine::compare(a, b);
    if (result.first_difference == words_per_page - 1) result.first_difference.reset();
    return result;
  }
};

struct CopySkipsLastWord : Machine {
  using Machine::Machine;
  void copy(Frame to, Frame from) override {
    const std::uint64_t kept = words(to).back();
    Machine::copy(to, from);
    words(to).back() = kept;
  }
};

// Restarts, but leaves the second run's work where it is.
struct StaleFrameAfterRestart : StepMachine {
  using StepMachine::StepMachine;
  std::uint64_t checked_copy(Frame to, Frame from) override {
    return step_ == Step::AfterSecond ? check_word(from) : StepMachine::checked_copy(to, from);
  }
};

// Restarts, but believes that a page which no run has written is as it was.
struct CleanPagesNotRestored : StepMachine {
  using StepMachine::StepMachine;
  std::uint64_t checked_copy(Frame to, Frame from) override {
    for (const PageTableEntry& entry : table_) {
      const bool clean = entry.present && entry.frame == to && !entry.dirty;
      if (clean && step_ == Step::AfterSecond) return check_word(from);
    }
    return StepMachine::checked_copy(to, from);
  }
};

// Restarts with whatever the cache holds.
struct NothingFlushedBeforeRestart : Machine {
  using Machine::Machine;
  void flush_everything() override {}
};

struct NothingInvalidatedBetweenRuns : StepMachine {
  using StepMachine::StepMachine;
  void invalidate_all() override {
    if (step_ != Step::BetweenRuns) Machine::invalidate_all();
  }
};

// The dirty bit is cleared, but a translation remembers it as set and never sets it again.
struct NothingInvalidatedAfterCommit : StepMachine {
  using StepMachine::StepMachine;
  void invalidate_all() override {
    if (step_ != Step::AfterSecond) Machine::invalidate_all();
  }
};

struct PageNotInvalidated : Machine {
  using Machine::Machine;
  void invalidate(Page) override {}
};

struct DirtyBitStays : Machine {
  using Machine::Machine;
  void clear_dirty(Page) override {}
  void map(Page page, Frame frame, dwc::Write write) override {
    const bool was_dirty = dirty(page);
    Machine::map(page, frame, write);
    table_[static_cast<std::size_t>(page)].dirty = was_dirty;
  }
};

// A page that sleeps or leaves can still be written.
struct NeverProtectedAgain : Machine {
  using Machine::Machine;
  void map(Page page, Frame frame, dwc::Write) override {
    Machine::map(page, frame, dwc::Write::Enabled);
  }
};

struct OnlyFirstRunsPages : StepMachine {
  using StepMachine::StepMachine;
  bool dirty(Page page) override { return step_ != Step::SecondRun && Machine::dirty(page); }
};

struct OnlySecondRunsPages : StepMachine {
  using StepMachine::StepMachine;
  bool dirty(Page page) override { return step_ != Step::FirstRun && Machine::dirty(page); }
};

struct ExtendedStateNotFetched : Machine {
  using Machine::Machine;
  void complete() override {}
};

struct ExtendedStateNotRewound : StepMachine {
  using StepMachine::StepMachine;
  void load() override {
    if (step_ != Step::SecondRun) Machine::load();
  }
};

struct SharedFrameTakenForOwn : Machine {
  using Machine::Machine;
  dwc::Origin<Frame> origin(Page page) override { return {Machine::origin(page).frame, false}; }
};

// Instead of running a second time it hands out what the first run left.
struct SecondRunOnlyPretended : StepMachine {
  using StepMachine::StepMachine;

  void run_ended(dwc::WhichRun run) override {
    StepMachine::run_ended(run);
    if (run == dwc::WhichRun::Second) return;
    registers_ = registers();
    pages_.clear();
    for (std::size_t i = 0; i < page_count(); ++i) {
      const auto content = Machine::content(static_cast<Page>(i));
      pages_.emplace_back(content.begin(), content.end());
    }
  }

  Trap run(std::uint64_t limit) override {
    if (step_ != Step::SecondRun) return trap_ = Machine::run(limit);
    registers() = registers_;
    load();
    for (std::size_t i = 0; i < page_count(); ++i) {
      if (!table_[i].enabled) continue;
      std::copy(pages_[i].begin(), pages_[i].end(), words(table_[i].frame).begin());
      table_[i].dirty = true;
    }
    return trap_;
  }

private:
  Registers registers_;
  std::vector<std::vector<std::uint64_t>> pages_;
  Trap trap_{};
};

}  // namespace fake
