// The life of a processing element (PE) as a state machine: an event goes in, what to do next comes
// out. No hardware, no allocation of its own: Space and Core have both. docs/engine.md has the same
// states in the same order, with their transitions.
//
//           +------------------------- restart (bounded) --------------------------+
//           v                                                                      |
//  READY -> FIRST RUN --end--> rewind to R0, P0 -> SECOND RUN --end--> compare --differ
//             ^   | write fault:         |                              |
//             +---+ page joins the set   +-> SEARCHING --position--> agree: commit -> Serve, READY
//
// SEARCHING is a second run, too: the time limit has ended the first one, anywhere, and this one is
// led to the same position (convergence.hpp). Before a PE is given up, TRACING looks for an
// instruction to blame (trace.hpp); then it is STOPPED.
//
// Invariant: outside of a PE, and when stopped, the context's registers and pages hold the last
// state that two runs agreed on. Between begin() and Serve nobody outside may look at either.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "libdwc/convergence.hpp"
#include "libdwc/failure_policy.hpp"
#include "libdwc/pace.hpp"
#include "libdwc/patience.hpp"
#include "libdwc/pe_clock.hpp"
#include "libdwc/run.hpp"
#include "libdwc/shadow_memory.hpp"
#include "libdwc/trace.hpp"

namespace dwc {

// An attempt of a PE that failed. `ticks` are the statistics' once the context was back at R0 and
// P0.
struct AbandonedAttempt {
  Failure failure = Failure::Mismatch;
  PhaseTicks ticks;
};

template <Space S, Core C>
class Controller {
public:
  using Page = typename S::Page;
  using PageNumber = typename S::PageNumber;
  using Registers = typename C::Registers;

  // Lent by the caller for the controller's life. The live registers are the core's. The three
  // register sets change places, so each is R0, R1 and the live one in turn.
  struct Storage {
    std::span<PageEntry<S>> pages;          // beyond these the page set takes frames
    Registers* start;                       // R0
    Registers* first;                       // R1
    std::span<std::uint32_t> digests = {};  // in use only after the last begin(): can be shared
  };

  Controller(S& space, C& core, const Settings& settings, Storage storage)
      : space_{space},
        core_{core},
        settings_{settings},
        start_{storage.start},
        memory_{space, settings_, storage.pages, statistics_},
        comparator_{space, settings_, statistics_},
        pace_{settings_},
        clock_{core, settings_, caution_, pace_},
        patience_{core},
        search_{core, statistics_, caution_},
        trace_{core, storage.digests},
        first_{WhichRun::First, core, storage.first},
        second_{WhichRun::Second, core, nullptr} {}
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  enum class State : std::uint8_t { Ready, FirstRun, SecondRun, Searching, Tracing, Stopped };

  // Ready: starts a PE from the live registers, which must be complete. Then let the context run.
  void begin() {
    require(state_ == State::Ready);
    clock_.begin_pe();
    memory_.set_budget(pace_.budget());
    ticks_before_ = statistics_.ticks;
    ++pe_number_;
    abandoned_.clear();
    restarts_ = 0;
    without_counter_ = false;
    a_hint_failed_ = false;
    core_.exchange_registers(start_);
    start_check_ = start_->check_word();
    begin_first_run();
  }

  // What stopped the context while a PE was under way.
  [[nodiscard]] Next handle(const Event<Page>& event) {
    switch (state_) {
      case State::FirstRun: return in_first_run(event);
      case State::SecondRun: return in_second_run(event);
      case State::Searching: return in_searching(event);
      case State::Tracing: return in_tracing(event);
      case State::Ready:
      case State::Stopped: break;
    }
    require(false);  // no PE is under way
    __builtin_unreachable();
  }

  [[nodiscard]] State state() const { return state_; }
  // After Serve: the end that both runs agreed on.
  [[nodiscard]] const PeEnd& end() const { return *first_.end; }
  // After Stop: why. Before that, the last mismatch, if there was one.
  [[nodiscard]] const Diagnosis<PageNumber>& diagnosis() const { return diagnosis_; }

  // Outside of a PE, before the kernel itself writes or unmaps the page: its base would be stale.
  void forget(PageNumber page) {
    require(!in_pe());
    memory_.forget(page);
  }
  // Outside of a PE, after the context itself has run there: the same for all that it has written.
  void forget_modified() {
    require(!in_pe());
    memory_.forget_modified();
  }
  // Pages of the set, those that sleep among them.
  [[nodiscard]] std::size_t known_pages() const { return memory_.set().size(); }
  // Every page leaves the set, at any time: the context ends.
  void clear() { memory_.clear(); }

  // Of the current PE, from 1; before the first begin() it is 0.
  [[nodiscard]] std::uint64_t pe_number() const { return pe_number_; }
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }
  // Of the last PE, for a timeline: the statistics' ticks at its begin, and its failed attempts.
  [[nodiscard]] const PhaseTicks& ticks_before() const { return ticks_before_; }
  [[nodiscard]] const Shortlist<AbandonedAttempt>& abandoned() const { return abandoned_; }
  // How many instructions early the next second run stops for the search.
  [[nodiscard]] std::uint64_t margin() const { return search_.margin(); }

  // For fault injection while a run is stopped: the pages that it has modified so far, k counting
  // from 0, each with its base; the writable ones that it has at most read; and R0.
  [[nodiscard]] std::size_t modified_pages() {
    memory_.note_modified(which_run());
    return memory_.set().count_dirty_in(which_run());
  }
  [[nodiscard]] const PageEntry<S>& modified(std::size_t k) {
    return memory_.set().dirty_in(which_run(), k);
  }
  [[nodiscard]] std::size_t unmodified_pages() {
    memory_.note_modified(which_run());
    return memory_.set().count_clean_in(which_run());
  }
  [[nodiscard]] const PageEntry<S>& unmodified(std::size_t k) {
    return memory_.set().clean_in(which_run(), k);
  }
  [[nodiscard]] Registers& snapshot_registers() { return *start_; }

private:
  using Kind = typename Event<Page>::Kind;
  using Admission = typename ShadowMemory<S>::Admission;
  using Guide = typename Convergence<C>::Guide;
  using Position = typename Convergence<C>::Position;
  using Found = Differences<PageNumber>;

  [[nodiscard]] bool in_pe() const { return state_ != State::Ready && state_ != State::Stopped; }
  [[nodiscard]] WhichRun which_run() const {
    const bool second = state_ == State::SecondRun || state_ == State::Searching;
    return second ? WhichRun::Second : WhichRun::First;
  }

  // ---- One handler for each state ----

  // Only the first run adds pages: what the second one modifies beyond them is a mismatch.
  [[nodiscard]] Next in_first_run(const Event<Page>& event) {
    const std::uint64_t user_time = clock_.lap();
    clock_.first_run_took(user_time);
    statistics_.ticks.first_run += user_time;
    if (event.kind == Kind::WriteFault) {
      const bool admitted = admit(event.page);
      statistics_.ticks.fault += clock_.lap();
      if (admitted) return Next::Resume;
    }
    if (is_position(event.kind)) return Next::Resume;  // a stale stop of an earlier search
    if (event.kind == Kind::Timer) {
      const bool goes_on =
          has_time_left() || (first_.within_faulting_instruction() && give_more_time());
      if (goes_on) return Next::Resume;
    }
    first_.end = end_of_first(event);
    end_run(first_);
    if (event.kind == Kind::MachineCheck) return failed(Failure::MachineCheck);
    if (event.kind == Kind::ControlBits) return first_run_corrupt();
    return begin_second_run();
  }

  [[nodiscard]] Next in_second_run(const Event<Page>& event) {
    statistics_.ticks.second_run += clock_.lap();
    if (event.kind == Kind::WriteFault) {
      const bool known = knows(event.page);
      if (known) return Next::Resume;
    }
    if (event.kind == Kind::Timer || is_position(event.kind)) {
      const bool goes_on = goes_on_late(event.kind);
      if (goes_on) return Next::Resume;
    }
    patience_.end_run();
    second_.end = end_of_second(event);
    end_run(second_);
    if (event.kind == Kind::MachineCheck) return failed(Failure::MachineCheck);
    const Found* const found = compare(Depth::WholePicture);
    if (found == nullptr && first_.end == second_.end) return commit();
    note_comparison(found);
    return failed(Failure::Mismatch);
  }

  // A second run that the time limit's position leads.
  [[nodiscard]] Next in_searching(const Event<Page>& event) {
    const std::uint64_t user_time = clock_.lap();
    if (search_.stepping()) {
      statistics_.ticks.convergence += user_time;
    } else {
      statistics_.ticks.second_run += user_time;
    }
    if (event.kind == Kind::WriteFault) {
      const bool known = knows(event.page);
      if (known) return proceed(search_.go_on());
    }
    if (is_position(event.kind)) return proceed(search_.stopped());
    if (event.kind == Kind::Timer && patience_.is_left() && search_.on_its_way()) {
      patience_.spend();
      return proceed(search_.go_on_for(clock_.late_search_limit()));
    }
    core_.arm_timer(0);
    search_.interrupted();
    search_.end();
    second_.end = end_of_second(event);
    end_run(second_);
    if (event.kind == Kind::MachineCheck) return failed(Failure::MachineCheck);
    return missed();
  }

  // A repetition may take as long as the program likes, and is one step: the timer ends the pass.
  [[nodiscard]] Next in_tracing(const Event<Page>& event) {
    bool goes_on = event.kind == Kind::Counter;
    if (event.kind == Kind::Step || event.kind == Kind::Break) goes_on = trace_.stepped();
    if (event.kind == Kind::WriteFault) {
      ++statistics_.write_faults;
      goes_on = memory_.admit(event.page) != Admission::Refused;
    }
    if (goes_on) {
      trace_.step();
      return Next::Resume;
    }
    core_.arm_timer(0);
    statistics_.ticks.convergence += clock_.lap();
    const bool intact = go_back();
    if (!intact) return stop(Verdict::SnapshotCorrupt);
    diagnosis_.culprit = trace_.culprit();
    if (diagnosis_.culprit) return stop(Verdict::Nondeterministic);
    return trace(diagnosis_.verdict);
  }

  // ---- The first run ----

  void begin_first_run() {
    state_ = State::FirstRun;
    ++statistics_.first_runs;
    clock_.begin_first_run();
    first_.end.reset();
    second_.end.reset();
    begin_run(first_, clock_.first_run_limit());
  }

  void begin_run(Run<S, C>& run, std::uint64_t limit) {
    run.begin(*start_, limit);
    statistics_.ticks.load += clock_.lap();
  }

  // If the very first instruction faults, the time limit begins anew, once: else a PE that only
  // joins a page could come to nothing. A run whose time is over ends at its next write fault.
  [[nodiscard]] bool admit(Page page) {
    ++statistics_.write_faults;
    out_of_time_ = first_.has_faulted() && out_of_time() && !memory_.knows(page);
    if (out_of_time_) return false;
    const Admission admission = memory_.admit(page);
    if (admission == Admission::Known) return true;
    clock_.expect_instruction();
    if (first_.faults_at_once(*start_)) core_.arm_timer(clock_.first_run_limit());
    first_.note_fault();
    return admission == Admission::Joined;
  }

  // At a write fault.
  [[nodiscard]] bool out_of_time() { return clock_.first_run_is_over(memory_.set().writable()); }

  // The timer has run during write faults, too, which count only where the limit is fixed.
  [[nodiscard]] bool has_time_left() {
    if (pace_.limit_is_fixed()) return false;
    const std::uint64_t left = clock_.first_run_left();
    if (left == 0 || out_of_time()) return false;
    core_.arm_timer(left);
    return true;
  }

  // For the instruction of the last write fault, whose time is over.
  [[nodiscard]] bool give_more_time() {
    const std::uint64_t more_time = clock_.more_time();
    core_.arm_timer(more_time);
    return more_time != 0;
  }

  [[nodiscard]] PeEnd end_of_first(const Event<Page>& event) {
    first_.refused.reset();
    if (event.kind != Kind::WriteFault) out_of_time_ = event.kind == Kind::Timer;
    PeEnd end = event.end;
    if (event.kind == Kind::ControlBits) end.kind = PeEnd::Kind::ControlBits;
    if (event.kind == Kind::Timer) end.kind = PeEnd::Kind::TimeLimit;
    if (event.kind == Kind::WriteFault) {
      first_.refused = event.page;
      const bool goes_on = out_of_time_ || memory_.commit_makes_room();
      end.kind = goes_on ? PeEnd::Kind::PageBudget : PeEnd::Kind::OutOfFrames;
    }
    return end;
  }

  // It ended as no run can: no second one is needed to tell.
  [[nodiscard]] Next first_run_corrupt() {
    first_.keep_registers();
    differences_.clear();
    return failed(Failure::Mismatch);
  }

  // ---- The second run ----

  [[nodiscard]] Next begin_second_run() {
    const std::uint64_t count = core_.count();
    patience_.begin_run(count);
    rewind();
    ++statistics_.second_runs;
    const bool anywhere = first_.end->kind == PeEnd::Kind::TimeLimit;
    state_ = anywhere ? State::Searching : State::SecondRun;
    const std::uint64_t limit = clock_.second_run_limit(restarts_);
    begin_run(second_, limit);
    if (!anywhere) return Next::Resume;
    return proceed(search_.begin({&first_.registers(), count}, limit, guide()));
  }

  // R1 and P1 are put aside.
  void rewind() {
    first_.keep_registers();
    memory_.rewind();
    statistics_.ticks.rewind += clock_.lap();
    statistics_.flushed_pages += space_.flush_caches();
    statistics_.ticks.flush += clock_.lap();
  }

  // Something that bounds the second run has stopped it, or a stale stop of an earlier search has.
  [[nodiscard]] bool goes_on_late(Kind kind) {
    if (kind == Kind::Timer) return wait_for_second();
    return !patience_.out_of_bounds();
  }

  // Its time is over. The last attempt does not ask the counter.
  [[nodiscard]] bool wait_for_second() {
    const bool counter = guide() == Guide::Counter && patience_.is_left();
    if (!counter || !patience_.on_its_way()) return false;
    patience_.spend();
    patience_.bound_by_count();
    core_.arm_timer(clock_.longest_second_run());
    return true;
  }

  [[nodiscard]] bool knows(Page page) {
    ++statistics_.write_faults;
    const bool known = memory_.knows(page);
    statistics_.ticks.fault += clock_.lap();
    return known;
  }

  [[nodiscard]] PeEnd end_of_second(const Event<Page>& event) {
    PeEnd end = event.end;
    if (event.kind == Kind::ControlBits) end.kind = PeEnd::Kind::ControlBits;
    if (event.kind == Kind::Timer || is_position(event.kind)) {
      end.kind = PeEnd::Kind::Watchdog;
      ++statistics_.watchdog_expiries;
    }
    if (event.kind == Kind::WriteFault) {
      const bool refused_there = first_.refused == event.page;
      end.kind = refused_there ? first_.end->kind : PeEnd::Kind::UnexpectedWrite;
    }
    return end;
  }

  // ---- Either run ----

  [[nodiscard]] static bool is_position(Kind kind) {
    return kind == Kind::Counter || kind == Kind::Step || kind == Kind::Break;
  }

  void end_run(Run<S, C>& run) {
    core_.arm_timer(0);
    stand_still(run);
  }

  // Everything about the run can be seen.
  void stand_still(Run<S, C>& run) {
    core_.complete();
    memory_.note_modified(run.which());
    run.report_end();
  }

  [[nodiscard]] const Found* compare(Depth depth) {
    return comparator_.compare(first_.registers(), second_.registers(), memory_.set(), depth);
  }

  // Of one that no commit follows, whose time would include it.
  void note_comparison(const Found* found) {
    statistics_.ticks.compare_commit += clock_.lap();
    differences_ = found != nullptr ? *found : Found{};
  }

  [[nodiscard]] Next commit() {
    const std::size_t modified_pages = memory_.commit();
    state_ = State::Ready;
    statistics_.ticks.compare_commit += clock_.lap();
    statistics_.count_committed(first_.end->kind, modified_pages, clock_.took());
    if (restarts_ == 0 && Pace::teaches(modified_pages, out_of_time_)) learn_pace(modified_pages);
    return Next::Serve;
  }

  void learn_pace(std::size_t modified_pages) {
    const PhaseTicks &now = statistics_.ticks, &before = ticks_before_;
    const std::uint64_t page_work =
        now.rewind - before.rewind + now.compare_commit - before.compare_commit;
    pace_.learn({.out_of_time = out_of_time_,
                 .counter = core_.counter().counts,
                 .pages = modified_pages,
                 .run = now.first_run - before.first_run,
                 .per_page = page_work,
                 .beside = now.beside_runs() - before.beside_runs()});
  }

  // ---- The search ----

  // The last attempt does without the counter, which may lie.
  [[nodiscard]] Guide guide() const {
    const bool counter = core_.counter().counts && !without_counter_;
    return counter ? Guide::Counter : Guide::Landmark;
  }

  // The run stands somewhere on its way.
  [[nodiscard]] Next proceed(Position position) {
    if (position == Position::Candidate) {
      stand_still(second_);
      const Found* const found = compare(Depth::FirstDifference);
      if (found == nullptr) return converge();
      note_comparison(found);
      core_.reload();
      position = search_.go_on();
    }
    if (position == Position::Elsewhere) return Next::Resume;
    core_.arm_timer(0);
    search_.end();
    second_.end = {.kind = PeEnd::Kind::TimeLimit};
    end_run(second_);
    return missed();
  }

  [[nodiscard]] Next converge() {
    core_.arm_timer(0);
    const bool counter_is_off = search_.counter_is_off();
    search_.end();
    if (counter_is_off) {
      caution_.widen();
    } else {
      caution_.converged();
    }
    ++statistics_.converged;
    if (search_.steps() > statistics_.most_steps) statistics_.most_steps = search_.steps();
    if (trap_words_apart<C>(*start_, first_.registers()) == 0) caution_.lengthen_limit();
    return commit();
  }

  // The first run's position was not met: by a fault, or because a hint was wrong.
  [[nodiscard]] Next missed() {
    if (first_.end != second_.end || !search_.came_near()) {
      differences_.clear();
      differences_.registers =
          differing_words(first_.registers().words(), second_.registers().words());
    } else if (search_.nearest_differences().total() != 0) {
      differences_.clear();
      differences_.registers = search_.nearest_differences();
    }
    const PeEnd::Kind end = second_.end->kind;
    const bool in_time = end != PeEnd::Kind::Watchdog;
    const bool told = end == PeEnd::Kind::ControlBits || (in_time && search_.covered());
    return failed(told ? Failure::Mismatch : Failure::Missed);
  }

  // ---- When an attempt has failed ----

  // What follows is decided in failure_policy.hpp, and done here.
  [[nodiscard]] Next failed(Failure failure) {
    using Action = Decision::Action;
    record(failure);
    const bool intact = go_back();
    abandoned_.add({failure, statistics_.ticks});
    const Decision decision = decide({.failure = failure,
                                      .snapshot_intact = intact,
                                      .restarts = restarts_,
                                      .restart_limit = settings_.restart_limit,
                                      .counter_counts = core_.counter().counts,
                                      .a_hint_failed = a_hint_failed_,
                                      .halvings_left = caution_.halvings_left()});
    caution_.halve_limit(decision.halvings);
    const bool out_of_restarts = intact && restarts_ == settings_.restart_limit;
    if (failure == Failure::Missed && out_of_restarts) ++statistics_.unresolved;
    switch (decision.action) {
      case Action::Stop: return stop(decision.verdict);
      case Action::Trace: return trace(decision.verdict);
      case Action::Restart:
      case Action::RestartWithoutCounter: ++restarts_; break;
      case Action::RestartsBeginAnew: restarts_ = 0; break;
    }
    without_counter_ = decision.action == Action::RestartWithoutCounter;
    ++statistics_.restarts;
    begin_first_run();
    return Next::Resume;
  }

  static bool is_exception(const std::optional<PeEnd>& end) {
    return end && end->kind == PeEnd::Kind::Exception;
  }

  // For the report, and for the next search.
  void record(Failure failure) {
    if (failure == Failure::MachineCheck) {
      ++statistics_.machine_checks;
      return;
    }
    describe();
    if (failure == Failure::Mismatch) {
      statistics_.mismatches.count(second_.end == first_.end, differences_.registers.total() == 0,
                                   differences_.pages.total() == 0);
      if (second_.end != first_.end && (is_exception(first_.end) || is_exception(second_.end)))
        ++statistics_.mismatches.exception;
      return;
    }
    ++statistics_.failed_convergences;
    caution_.widen();
    const bool by_hint = !core_.counter().counts || guide() == Guide::Counter;
    a_hint_failed_ = a_hint_failed_ || by_hint;
  }

  void describe() {
    diagnosis_.pe = pe_number_;
    diagnosis_.first_end = *first_.end;
    diagnosis_.second_end = second_.end;
    diagnosis_.first_rip = first_.rip();
    diagnosis_.second_rip = second_.end ? second_.rip() : 0;
    diagnosis_.registers = differences_.registers;
    diagnosis_.pages = differences_.pages;
  }

  // To R0 and P0, read from memory anew. A clean cache line that only one run has read wrong would
  // otherwise be read alike by both new runs, which agree. False: R0 or P0 has changed since it was
  // taken, and the diagnosis says which.
  [[nodiscard]] bool go_back() {
    space_.flush_everything();
    statistics_.ticks.flush += clock_.lap();
    const bool registers_intact = start_->check_word() == start_check_;
    copy_words(core_.registers(), *start_);
    const std::optional<Page> corrupt = memory_.restore();
    statistics_.ticks.rewind += clock_.lap();
    diagnosis_.corrupt_page.reset();
    if (corrupt) diagnosis_.corrupt_page = space_.number(*corrupt);
    if (settings_.check_words == CheckWords::Ignore) return true;
    if (registers_intact && !corrupt) return true;
    ++statistics_.snapshot_failures;
    return false;
  }

  // ---- The end of all attempts ----

  // From R0 and P0, by way of the two passes in which nothing is injected.
  [[nodiscard]] Next trace(Verdict if_nothing_is_found) {
    diagnosis_.verdict = if_nothing_is_found;
    const bool begun = trace_.begin_pass();
    if (!begun) return stop(if_nothing_is_found);
    state_ = State::Tracing;
    core_.arm_timer(settings_.trace_ticks);
    trace_.step();
    return Next::Resume;
  }

  [[nodiscard]] Next stop(Verdict verdict) {
    state_ = State::Stopped;
    diagnosis_.pe = pe_number_;
    diagnosis_.verdict = verdict;
    return Next::Stop;
  }

  S& space_;
  C& core_;
  const Settings settings_;
  Registers* start_;
  Statistics statistics_;
  Diagnosis<PageNumber> diagnosis_;
  ShadowMemory<S> memory_;
  Comparator<S> comparator_;
  Caution caution_;
  Pace pace_;
  PeClock<C> clock_;
  Patience<C> patience_;
  Convergence<C> search_;
  Trace<C> trace_;
  Run<S, C> first_;
  Run<S, C> second_;

  State state_ = State::Ready;
  std::uint64_t pe_number_ = 0;
  std::uint64_t start_check_ = 0;  // check word of R0

  PhaseTicks ticks_before_;  // the PE
  Shortlist<AbandonedAttempt> abandoned_;

  // Of this PE, for decide().
  std::uint32_t restarts_ = 0;
  bool without_counter_ = false;  // this attempt
  bool out_of_time_ = false;      // this attempt's first run, at its end
  bool a_hint_failed_ = false;    // else all attempts by a hint differed
  Found differences_;             // between this attempt's runs, where they came closest
};

}  // namespace dwc
