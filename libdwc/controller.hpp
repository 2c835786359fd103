// The life of a processing element (PE) as a state machine: a trap goes in, what to do next comes
// out. No hardware, no allocation of its own; the Platform has both.
//
//           +------------------------- restart (bounded) -------------------------+
//           v                                                                     |
//  begin -> FIRST RUN --end--> rewind to R0, P0 -> SECOND RUN --end--> compare --differ
//             ^   | write fault:                                          |
//             +---+ page joins the set                                  agree: commit -> Serve
//
// Invariant: outside of a PE, and after Stop, the process's registers and pages hold the last state
// that two runs agreed on. Between begin() and Serve nobody outside may look at either.
#pragma once

#include "libdwc/comparator.hpp"
#include "libdwc/shadow_memory.hpp"

namespace dwc {

template <Platform P>
class Controller {
public:
  using Page = typename P::Page;
  using Frame = typename P::Frame;
  using Registers = typename P::Registers;

  // Lent by the caller for the controller's life. The live registers are the platform's.
  struct Storage {
    std::span<PageEntry<P>> pages;  // the page budget is cut to what fits here
    Registers* start;               // R0
    Registers* first;               // R1
  };

  Controller(P& platform, const Settings& settings, Storage storage)
      : platform_{platform},
        settings_{settings},
        start_{*storage.start},
        first_{*storage.first},
        memory_{platform, settings_, storage.pages, statistics_},
        comparator_{platform, statistics_, diagnosis_} {}
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // Starts a PE from the live registers, which must be complete. Then let the process run.
  void begin() {
    require(state_ == State::Ready);
    state_ = State::Running;
    pe_began_ = lap_began_ = platform_.now();
    ++pe_number_;
    restarts_ = 0;
    was_too_long_ = false;
    start_ = platform_.registers();
    start_check_ = check_word(start_.words());
    start_run(Run::First);
  }

  // What stopped the process while a PE was under way.
  [[nodiscard]] Next handle(const Event<Page>& event) {
    require(state_ == State::Running);
    const std::uint64_t user_time = lap();
    if (run_ == Run::First) first_run_ticks_ += user_time;
    (run_ == Run::First ? statistics_.ticks.first_run : statistics_.ticks.second_run) += user_time;

    if (event.kind == Kind::WriteFault) {
      const bool admitted = admit(event.page);
      statistics_.ticks.fault += lap();
      if (admitted) return Next::Resume;
    }
    end_run(event);
    if (event.kind == Kind::MachineCheck) return restart(Verdict::MachineCheck);
    return run_ == Run::First ? after_first_run() : after_second_run();
  }

  // After Serve: the end that both runs agreed on.
  [[nodiscard]] const PeEnd& end() const { return first_end_; }
  // After Stop: why. Before that, the last mismatch, if there was one.
  [[nodiscard]] const Diagnosis<P>& diagnosis() const { return diagnosis_; }

  // Outside of a PE, before the kernel itself writes or unmaps the page: its base would be stale.
  void forget(Page page) {
    require(state_ != State::Running);
    memory_.forget(page);
  }
  // Every page leaves the set, at any time: the process ends.
  void clear() { memory_.clear(); }

  // Of the current PE, from 1; before the first begin() it is 0.
  [[nodiscard]] std::uint64_t pe_number() const { return pe_number_; }
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }

  // For fault injection inside Platform::run_ended(): the pages that this run modified, k counting
  // from 0, each with its base; and R0.
  [[nodiscard]] std::size_t modified_pages() const { return memory_.set().count_dirty_in(run_); }
  [[nodiscard]] Frame modified_frame(std::size_t k) const { return modified(k).work; }
  [[nodiscard]] Frame snapshot_frame(std::size_t k) const { return modified(k).base; }
  [[nodiscard]] Registers& snapshot_registers() { return start_; }

private:
  using Kind = typename Event<Page>::Kind;
  enum class State : std::uint8_t { Ready, Running, Stopped };

  // ---- A run, from its start to its end ----

  // The live registers are R0, the pages P0. A second run may take four times the first one's time:
  // it does the same work, but finds caches and translations cold.
  void start_run(Run run) {
    run_ = run;
    ++(run == Run::First ? statistics_.first_runs : statistics_.second_runs);
    platform_.run_begins(run);
    platform_.arm_watchdog(run == Run::First ? settings_.watchdog_ticks : second_run_limit());
    if (run == Run::First) first_run_ticks_ = 0;
    platform_.load();
    statistics_.ticks.load += lap();
  }

  // A second run does the same work as the first, but finds caches and translations cold. What the
  // clock ended too early, on a machine that is itself interrupted, gets four times the slack at
  // each restart, up to 64 times: a loop still ends, and a slow run is not taken for one for ever.
  [[nodiscard]] std::uint64_t second_run_limit() const {
    const unsigned growth = 2 * (restarts_ < 3 ? restarts_ : 3);
    return 4 * first_run_ticks_ + (settings_.second_run_slack_ticks << growth);
  }

  // Only the first run adds pages: what the second one modifies beyond them is a mismatch.
  [[nodiscard]] bool admit(Page page) {
    ++statistics_.write_faults;
    return run_ == Run::First ? memory_.admit(page) : memory_.knows(page);
  }

  void end_run(const Event<Page>& event) {
    platform_.arm_watchdog(0);
    platform_.complete();
    (run_ == Run::First ? first_end_ : second_end_) = end_of(event);
    memory_.note_modified(run_);
    if (event.kind == Kind::Watchdog) ++statistics_.watchdog_expiries;
    if (event.kind == Kind::MachineCheck) ++statistics_.machine_checks;
    platform_.run_ended(run_);
  }

  // A write for which there is no room ends the first run at that instruction, and the second run
  // ends the same way when it comes to the same page.
  [[nodiscard]] PeEnd end_of(const Event<Page>& event) {
    PeEnd end = event.end;
    const bool refused = event.kind == Kind::WriteFault;
    if (event.kind == Kind::Watchdog) end.kind = PeEnd::Kind::Watchdog;
    if (event.kind == Kind::ControlBits) end.kind = PeEnd::Kind::ControlBits;
    if (run_ == Run::First) {
      refused_ = refused ? std::optional{event.page} : std::nullopt;
      if (refused)
        end.kind = memory_.commit_makes_room() ? PeEnd::Kind::PageBudget : PeEnd::Kind::OutOfFrames;
    } else if (refused) {
      end.kind = refused_ == event.page ? first_end_.kind : PeEnd::Kind::UnexpectedWrite;
    }
    return end;
  }

  // ---- From run to run ----

  [[nodiscard]] Next after_first_run() {
    if (first_end_.kind == PeEnd::Kind::ControlBits) {
      ++statistics_.mismatches.total;
      ++statistics_.mismatches.end;
      describe_first_run();
      return restart(Verdict::Divergence);
    }
    if (first_end_.kind == PeEnd::Kind::Watchdog) {
      describe_first_run();
      if (was_too_long_) restarts_ = settings_.restart_limit;  // one restart is enough to tell
      was_too_long_ = true;
      return restart(Verdict::TooLong);
    }
    rewind();
    start_run(Run::Second);
    return Next::Resume;
  }

  [[nodiscard]] Next after_second_run() {
    if (!runs_agree()) return restart(Verdict::Divergence);
    commit();
    return Next::Serve;
  }

  void rewind() {
    first_ = platform_.registers();
    platform_.registers() = start_;
    memory_.rewind();
    statistics_.ticks.rewind += lap();
    platform_.flush_caches();
    statistics_.ticks.flush += lap();
  }

  [[nodiscard]] bool runs_agree() {
    diagnosis_.registers.clear();
    diagnosis_.pages.clear();
    const bool ends = first_end_ == second_end_;
    const bool registers = comparator_.registers_agree(first_, platform_.registers());
    const bool pages = memory_.agrees(comparator_);
    const bool agree = ends && registers && pages;
    if (!agree) {
      Mismatches& count = statistics_.mismatches;
      ++count.total;
      count.end += ends ? 0 : 1;
      count.registers += registers ? 0 : 1;
      count.pages += pages ? 0 : 1;
      describe(first_, second_end_);
    }
    statistics_.ticks.compare_commit += lap();
    return agree;
  }

  void commit() {
    const std::size_t modified_pages = memory_.commit();
    state_ = State::Ready;
    ++statistics_.committed;
    ++statistics_.by_end[static_cast<std::size_t>(first_end_.kind)];
    ++statistics_.modified_pages[Statistics::page_bucket(modified_pages)];
    statistics_.ticks.compare_commit += lap();
    const std::uint64_t took = lap_began_ - pe_began_;
    if (took > statistics_.longest_pe_ticks) statistics_.longest_pe_ticks = took;
  }

  // ---- When the runs differ ----

  [[nodiscard]] Next restart(Verdict if_none_is_left) {
    if (!go_back()) return stop(Verdict::SnapshotCorrupt);
    if (restarts_ == settings_.restart_limit) return stop(if_none_is_left);
    ++restarts_;
    ++statistics_.restarts;
    start_run(Run::First);
    return Next::Resume;
  }

  // To R0 and P0. False: one of them has changed since it was taken, and that is told.
  [[nodiscard]] bool go_back() {
    const bool registers_intact = check_word(start_.words()) == start_check_;
    platform_.registers() = start_;
    diagnosis_.corrupt_page = memory_.restore();
    statistics_.ticks.rewind += lap();
    if (settings_.check_words == CheckWords::Ignore) return true;
    if (registers_intact && !diagnosis_.corrupt_page) return true;
    ++statistics_.snapshot_failures;
    return false;
  }

  [[nodiscard]] Next stop(Verdict verdict) {
    state_ = State::Stopped;
    diagnosis_.pe = pe_number_;
    diagnosis_.verdict = verdict;
    return Next::Stop;
  }

  // There was no second run to compare the first one with.
  void describe_first_run() {
    diagnosis_.registers.clear();
    diagnosis_.pages.clear();
    describe(platform_.registers(), std::nullopt);
  }

  void describe(const Registers& first, std::optional<PeEnd> second_end) {
    diagnosis_.pe = pe_number_;
    diagnosis_.first_end = first_end_;
    diagnosis_.second_end = second_end;
    diagnosis_.first_rip = first.words()[P::rip_word];
    diagnosis_.second_rip = second_end ? platform_.registers().words()[P::rip_word] : 0;
  }

  [[nodiscard]] const PageEntry<P>& modified(std::size_t k) const {
    return memory_.set().dirty_in(run_, k);
  }

  // Ticks since the last lap: each phase ends by taking its own.
  [[nodiscard]] std::uint64_t lap() {
    const std::uint64_t now = platform_.now();
    const std::uint64_t ticks = now - lap_began_;
    lap_began_ = now;
    return ticks;
  }

  P& platform_;
  const Settings settings_;
  Registers& start_;
  Registers& first_;
  Statistics statistics_;
  Diagnosis<P> diagnosis_;
  ShadowMemory<P> memory_;
  Comparator<P> comparator_;

  State state_ = State::Ready;
  Run run_ = Run::First;
  std::uint64_t pe_number_ = 0;
  std::uint64_t start_check_ = 0;  // check word of R0
  std::uint32_t restarts_ = 0;     // of this PE
  bool was_too_long_ = false;      // a first run of this PE
  PeEnd first_end_;
  PeEnd second_end_;
  std::optional<Page> refused_;  // where the first run had to end for want of room
  std::uint64_t first_run_ticks_ = 0;
  std::uint64_t pe_began_ = 0;
  std::uint64_t lap_began_ = 0;
};

}  // namespace dwc
