// The life of a processing element (PE) as a state machine: a trap goes in, what to do next comes
// out. No hardware, no allocation of its own: Space and Core have both.
//
//           +------------------------- restart (bounded) -------------------------+
//           v                                                                     |
//  begin -> FIRST RUN --end--> rewind to R0, P0 -> SECOND RUN --end--> compare --differ
//             ^   | write fault:                                          |
//             +---+ page joins the set                                  agree: commit -> Serve
//
// When the time limit has ended the first run, anywhere, the second one is led to the same position
// first: convergence.hpp. Before a PE is given up, trace.hpp looks for an instruction to blame.
//
// Invariant: outside of a PE, and after Stop, the process's registers and pages hold the last state
// that two runs agreed on. Between begin() and Serve nobody outside may look at either.
#pragma once

#include <array>
#include <optional>

#include "libdwc/convergence.hpp"
#include "libdwc/pe_clock.hpp"
#include "libdwc/run_ends.hpp"
#include "libdwc/trace.hpp"

namespace dwc {

template <Space S, Core C>
class Controller {
public:
  using Page = typename S::Page;
  using PageNumber = typename S::PageNumber;
  using Registers = typename C::Registers;

  // Lent by the caller for the controller's life. The live registers are the core's.
  struct Storage {
    std::span<PageEntry<S>> pages;          // the page budget is cut to what fits here
    Registers* start;                       // R0
    Registers* first;                       // R1
    std::span<std::uint32_t> digests = {};  // in use only after the last begin(): can be shared
  };

  Controller(S& space, C& core, const Settings& settings, Storage storage)
      : space_{space},
        core_{core},
        settings_{settings},
        start_{*storage.start},
        first_{*storage.first},
        memory_{space, settings_, storage.pages, statistics_},
        comparator_{space, statistics_, diagnosis_},
        clock_{core, settings_, caution_},
        search_{core, statistics_, comparator_, caution_},
        trace_{core, storage.digests} {}
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // Starts a PE from the live registers, which must be complete. Then let the process run.
  void begin() {
    require(state_ == State::Ready);
    state_ = State::Running;
    clock_.begin_pe();
    ++pe_number_;
    restarts_ = 0;
    hint_failed_ = false;
    copy_words(start_, core_.registers());
    start_check_ = check_word(start_.words());
    start_run(WhichRun::First);
  }

  // What stopped the process while a PE was under way.
  [[nodiscard]] Next handle(const Event<Page>& event) {
    require(state_ == State::Running);
    if (trace_.active()) return traced(event);
    const std::uint64_t user_time = clock_.lap();
    if (run_ == WhichRun::First) clock_.first_run_took(user_time);
    phase_of_run() += user_time;

    if (event.kind == Kind::WriteFault) {
      const bool admitted = admit(event.page);
      statistics_.ticks.fault += clock_.lap();
      if (admitted) return proceed(search_.go_on());
    }
    if (is_position(event.kind)) return proceed(search_.stopped());
    if (event.kind == Kind::Timer && within_instruction()) {
      const std::uint64_t more_time = clock_.more_time();
      core_.arm_timer(more_time);
      if (more_time != 0) return Next::Resume;
    }
    ends_.note(run_, event, memory_);
    end_run();
    if (event.kind == Kind::MachineCheck) {
      ++statistics_.machine_checks;
      return restart(Verdict::MachineCheck);
    }
    return run_ == WhichRun::First ? after_first_run() : after_second_run();
  }

  // After Serve: the end that both runs agreed on.
  [[nodiscard]] const PeEnd& end() const { return ends_.first; }
  // After Stop: why. Before that, the last mismatch, if there was one.
  [[nodiscard]] const Diagnosis<PageNumber>& diagnosis() const { return diagnosis_; }

  // Outside of a PE, before the kernel itself writes or unmaps the page: its base would be stale.
  void forget(PageNumber page) {
    require(state_ != State::Running);
    memory_.forget(page);
  }
  // Outside of a PE, after the process itself has run there: the same for all that it has written.
  void forget_modified() {
    require(state_ != State::Running);
    memory_.forget_modified();
  }
  // Every page leaves the set, at any time: the process ends.
  void clear() { memory_.clear(); }

  // Of the current PE, from 1; before the first begin() it is 0.
  [[nodiscard]] std::uint64_t pe_number() const { return pe_number_; }
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }
  // How many instructions early the next second run stops for the search.
  [[nodiscard]] std::uint64_t margin() const { return search_.margin(); }

  // For fault injection while a run is stopped: the pages that it has modified so far, k counting
  // from 0, each with its base; and R0.
  [[nodiscard]] std::size_t modified_pages() {
    memory_.note_modified(run_);
    return memory_.set().count_dirty_in(run_);
  }
  [[nodiscard]] const PageEntry<S>& modified(std::size_t k) const {
    return memory_.set().dirty_in(run_, k);
  }
  [[nodiscard]] Registers& snapshot_registers() { return start_; }

private:
  using Kind = typename Event<Page>::Kind;
  using Depth = typename ShadowMemory<S>::Depth;
  using Guide = typename Convergence<S, C>::Guide;
  using Position = typename Convergence<S, C>::Position;
  using TrapWords = std::array<std::uint64_t, C::trap_words>;
  enum class State : std::uint8_t { Ready, Running, Stopped };

  // ---- A run, from its start to its end ----

  // The live registers are R0, the pages P0.
  void start_run(WhichRun run) {
    run_ = run;
    ++(run == WhichRun::First ? statistics_.first_runs : statistics_.second_runs);
    run_end_told_ = false;
    core_.run_begins(run);
    if (run == WhichRun::First) clock_.begin_first_run();
    faulted_at_.reset();
    core_.arm_timer(run == WhichRun::First ? clock_.first_run_limit()
                                           : clock_.second_run_limit(restarts_));
    core_.restart_count();
    core_.load();
    statistics_.ticks.load += clock_.lap();
  }

  // Only the first run adds pages: what the second one modifies beyond them is a mismatch. A first
  // fault, of the very first instruction, has the time limit begin anew: so that each PE gets on.
  [[nodiscard]] bool admit(Page page) {
    ++statistics_.write_faults;
    const bool known = memory_.knows(page);
    if (known || run_ == WhichRun::Second) return known;
    const bool admitted = memory_.admit(page);
    clock_.expect_instruction();
    const bool first = !faulted_at_ && trap_words_apart<C>(start_, core_.registers()) == 0;
    if (first && !trace_.active()) core_.arm_timer(clock_.first_run_limit());
    faulted_at_ = trap_words();
    return admitted;
  }

  // The instruction that took the last write fault of the first run has not been carried out yet.
  // What it writes to two pages may stand in the first of them already (so it is in QEMU), and that
  // is no position that a run without faults comes to: it gets some more time.
  [[nodiscard]] bool within_instruction() const {
    return run_ == WhichRun::First && faulted_at_ == trap_words();
  }

  [[nodiscard]] TrapWords trap_words() const {
    TrapWords words;
    const std::span live = core_.registers().words();
    __builtin_memcpy(words.data(), live.data(), C::trap_words * sizeof(live[0]));
    return words;
  }

  [[nodiscard]] static bool is_position(Kind kind) {
    return kind == Kind::Counter || kind == Kind::Step || kind == Kind::Break;
  }

  // Where the time since the run was let go belongs.
  [[nodiscard]] std::uint64_t& phase_of_run() {
    PhaseTicks& ticks = statistics_.ticks;
    if (run_ == WhichRun::First) return ticks.first_run;
    return search_.stepping() ? ticks.convergence : ticks.second_run;
  }

  void end_run() {
    core_.arm_timer(0);
    search_.end();
    look_closely();
  }

  // The run stands where it may be over: everything about it can be seen.
  void look_closely() {
    core_.complete();
    memory_.note_modified(run_);
    if (!run_end_told_) core_.run_ended(run_);
    run_end_told_ = true;
  }

  // ---- From run to run ----

  [[nodiscard]] Next after_first_run() {
    if (ends_.first.kind == PeEnd::Kind::ControlBits) return first_run_corrupt();
    const std::uint64_t count = core_.count();
    rewind();
    start_run(WhichRun::Second);
    if (ends_.first.kind != PeEnd::Kind::TimeLimit) return Next::Resume;
    return proceed(search_.begin(first_, count, clock_.second_run_limit(restarts_), guide()));
  }

  [[nodiscard]] Next after_second_run() {
    if (ends_.second.kind == PeEnd::Kind::Watchdog) ++statistics_.watchdog_expiries;
    if (ends_.first.kind == PeEnd::Kind::TimeLimit) return missed();
    if (states_agree(Depth::WholePicture) && ends_.agree()) return commit();
    return mismatch(ends_.second);
  }

  // ---- When the time limit has ended the first run ----

  // The last attempt does without the counter: the counter may be wrong.
  [[nodiscard]] Guide guide() const {
    const bool last = restarts_ != 0 && restarts_ == settings_.restart_limit;
    return last || !core_.counter().counts ? Guide::Landmark : Guide::Counter;
  }

  // The second run stands somewhere on its way to the first one's position.
  [[nodiscard]] Next proceed(Position position) {
    if (position == Position::Candidate) {
      look_closely();
      if (states_agree(Depth::FirstDifference)) return converge();
      core_.reload();
      position = search_.go_on();
    }
    if (position == Position::Elsewhere) return Next::Resume;
    ends_.second = {.kind = PeEnd::Kind::TimeLimit};
    end_run();
    return missed();
  }

  [[nodiscard]] Next converge() {
    core_.arm_timer(0);
    search_.counter_is_off() ? caution_.widen() : caution_.converged();
    search_.end();
    ++statistics_.converged;
    if (search_.steps() > statistics_.most_steps) statistics_.most_steps = search_.steps();
    if (trap_words_apart<C>(start_, first_) == 0) caution_.lengthen_limit();
    return commit();
  }

  // The first run's position was not met: by a fault, or because a hint was wrong.
  [[nodiscard]] Next missed() {
    if (!ends_.agree() || !search_.came_near()) (void)registers_agree();
    const PeEnd::Kind end = ends_.second.kind;
    const bool in_time = end != PeEnd::Kind::Watchdog;
    if (end == PeEnd::Kind::ControlBits || (in_time && search_.covered())) {
      return mismatch(ends_.second);
    }
    describe(ends_.second);
    ++statistics_.failed_convergences;
    caution_.widen();
    if (!core_.counter().counts) (void)caution_.halve_limit();
    if (!core_.counter().counts || guide() == Guide::Counter) hint_failed_ = true;
    return restart(Verdict::Unresolved);
  }

  // ---- Back, and forward ----

  void rewind() {
    copy_words(first_, core_.registers());
    copy_words(core_.registers(), start_);
    memory_.rewind();
    statistics_.ticks.rewind += clock_.lap();
    space_.flush_caches();
    statistics_.ticks.flush += clock_.lap();
  }

  [[nodiscard]] bool registers_agree() {
    return comparator_.registers_agree(first_.words(), core_.registers().words());
  }

  [[nodiscard]] bool states_agree(Depth depth) {
    const bool registers = registers_agree();
    const bool wanted = registers || depth == Depth::WholePicture;
    const bool agree = wanted && memory_.agrees(comparator_, depth) && registers;
    statistics_.ticks.compare_commit += clock_.lap();
    return agree;
  }

  [[nodiscard]] Next commit() {
    const std::size_t modified_pages = memory_.commit();
    state_ = State::Ready;
    statistics_.ticks.compare_commit += clock_.lap();
    statistics_.count_committed(ends_.first.kind, modified_pages, clock_.took());
    return Next::Serve;
  }

  // ---- When the runs differ ----

  // The first run ended as no run can: no second one is needed to tell.
  [[nodiscard]] Next first_run_corrupt() {
    copy_words(first_, core_.registers());
    diagnosis_.forget_differences();
    return mismatch(std::nullopt);
  }

  // Which words differ is in the diagnosis already.
  [[nodiscard]] Next mismatch(std::optional<PeEnd> second_end) {
    describe(second_end);
    statistics_.mismatches.count(second_end == ends_.first, diagnosis_.registers.total() == 0,
                                 diagnosis_.pages.total() == 0);
    return restart(Verdict::Divergence);
  }

  void describe(std::optional<PeEnd> second_end) {
    diagnosis_.pe = pe_number_;
    diagnosis_.first_end = ends_.first;
    diagnosis_.second_end = second_end;
    diagnosis_.first_rip = first_.words()[C::rip_word];
    diagnosis_.second_rip = second_end ? core_.registers().words()[C::rip_word] : 0;
  }

  // What only failed to converge gets all its attempts again, with half the time limit.
  [[nodiscard]] Next restart(Verdict if_none_is_left) {
    if (!go_back()) return stop(Verdict::SnapshotCorrupt);
    if (restarts_++ == settings_.restart_limit) {
      if (if_none_is_left != Verdict::Unresolved) return give_up(if_none_is_left);
      ++statistics_.unresolved;
      if (!caution_.halve_limit()) {
        return give_up(hint_failed_ ? if_none_is_left : Verdict::Divergence);
      }
      restarts_ = 0;
    }
    ++statistics_.restarts;
    start_run(WhichRun::First);
    return Next::Resume;
  }

  // To R0 and P0, read from memory anew. A clean cache line that only one run has read wrong would
  // otherwise be read alike by both new runs, which agree. False: R0 or P0 has changed since it was
  // taken, and the diagnosis says which.
  [[nodiscard]] bool go_back() {
    space_.flush_everything();
    statistics_.ticks.flush += clock_.lap();
    const bool registers_intact = check_word(start_.words()) == start_check_;
    copy_words(core_.registers(), start_);
    const std::optional<Page> corrupt = memory_.restore();
    diagnosis_.corrupt_page.reset();
    if (corrupt) diagnosis_.corrupt_page = space_.number(*corrupt);
    statistics_.ticks.rewind += clock_.lap();
    if (settings_.check_words == CheckWords::Ignore) return true;
    if (registers_intact && !diagnosis_.corrupt_page) return true;
    ++statistics_.snapshot_failures;
    return false;
  }

  // From R0 and P0, by way of the two passes in which nothing is injected.
  [[nodiscard]] Next give_up(Verdict verdict) {
    diagnosis_.verdict = verdict;
    run_ = WhichRun::First;
    if (verdict == Verdict::MachineCheck || !trace_.begin_pass()) return stop(verdict);
    core_.arm_timer(settings_.trace_ticks);
    trace_.step();
    return Next::Resume;
  }

  // A repetition may take as long as the program likes, and is one step: the timer ends the pass.
  [[nodiscard]] Next traced(const Event<Page>& event) {
    const bool stepped = event.kind == Kind::Step || event.kind == Kind::Break;
    const bool again =
        event.kind == Kind::Counter || (event.kind == Kind::WriteFault && admit(event.page));
    if (again || (stepped && trace_.stepped())) {
      trace_.step();
      return Next::Resume;
    }
    core_.arm_timer(0);
    memory_.note_modified(run_);
    statistics_.ticks.convergence += clock_.lap();
    if (!go_back()) return stop(Verdict::SnapshotCorrupt);
    diagnosis_.culprit = trace_.culprit();
    return give_up(diagnosis_.culprit ? Verdict::Nondeterministic : diagnosis_.verdict);
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
  Registers& start_;
  Registers& first_;
  Statistics statistics_;
  Diagnosis<PageNumber> diagnosis_;
  ShadowMemory<S> memory_;
  Comparator<S> comparator_;
  Caution caution_;
  PeClock<C> clock_;
  Convergence<S, C> search_;
  Trace<C> trace_;
  RunEnds<S> ends_;

  State state_ = State::Ready;
  WhichRun run_ = WhichRun::First;
  std::uint64_t pe_number_ = 0;
  std::uint64_t start_check_ = 0;        // check word of R0
  std::uint32_t restarts_ = 0;           // of this PE
  bool hint_failed_ = false;             // in this PE; else all attempts but the last one differed
  bool run_end_told_ = false;            // to the core, of this run
  std::optional<TrapWords> faulted_at_;  // the last write fault of this run, if it is the first
};

}  // namespace dwc
