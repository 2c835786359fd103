// The property that carries the engine: whatever single flips hit a random program, each state that
// is committed, and each end that is served, is that of a plain run without faults. `violation_of`
// checks it for one seed on any platform, so that the same check also judges platforms with bugs.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/libdwc/fake_process.hpp"
#include "tests/libdwc/random_program.hpp"

namespace fake {

// The random programs that the property is tested on, one for each seed.
constexpr std::uint64_t first_property_seed = 20'000'000;
constexpr std::uint64_t property_programs = 30'000;

struct Tally {
  std::uint64_t programs = 0, pes = 0, flips = 0, clean_flips = 0, restarts = 0, mismatches = 0,
                page_budget_ends = 0, evictions = 0, watchdog_expiries = 0, unexpected = 0,
                full_checks = 0, classic = 0, woken = 0, time_limited = 0, converged = 0, steps = 0,
                most_steps = 0, candidates = 0, failed = 0, unresolved = 0, ended = 0, widest = 0;

  void add(const dwc::Statistics& statistics);
};

inline void Tally::add(const dwc::Statistics& statistics) {
  const auto ends = [&](dwc::PeEnd::Kind kind) {
    return statistics.by_end[static_cast<std::size_t>(kind)];
  };
  ++programs;
  pes += statistics.committed;
  restarts += statistics.restarts;
  mismatches += statistics.mismatches.total;
  page_budget_ends += ends(dwc::PeEnd::Kind::PageBudget);
  time_limited += ends(dwc::PeEnd::Kind::TimeLimit);
  evictions += statistics.evictions;
  woken += statistics.woken;
  watchdog_expiries += statistics.watchdog_expiries;
  converged += statistics.converged;
  steps += statistics.steps;
  most_steps = std::max(most_steps, statistics.most_steps);
  candidates += statistics.candidates;
  failed += statistics.failed_convergences;
  unresolved += statistics.unresolved;
}

// What is run, how, and what disturbs it.
struct Trial {
  Program program;
  std::size_t pages = 4;
  std::size_t frames = 16;
  dwc::Settings settings;
  std::optional<CounterModel> counter{};
  std::uint64_t entry_ticks = 0;
  bool flips = true;
  std::uint64_t latest_flip = 128;  // before that instruction of a run
  std::uint64_t most_pes = 5000;
  bool must_end = true;
};

// At most three faulty attempts in one PE, each with one flip in one of its runs: within the fault
// model, and within the default number of restarts. What flips: a register, a page that the run has
// written, a line of the cache that only this run sees, or a frame of the set while the second run
// reads it.
template <class M>
class FlipPlan {
public:
  FlipPlan(M& machine, Process<M>& process, Random& random, const Trial& trial)
      : machine_{machine}, process_{process}, random_{random}, trial_{trial} {
    machine.on_run_begins = [this](dwc::WhichRun run) { run_begins(run); };
    machine.on_run_ended = [this](dwc::WhichRun run) { run_ended(run); };
    machine.before_instruction = [this] {
      if (line_is_evicted()) drop_line();
      if (pending_ && run_ == target_ && machine_.retired() >= at_) flip(false);
      if (read_ != Read::Right && run_ == target_ && machine_.retired() >= at_) flip_what_is_read();
    };
  }

  std::uint64_t flips() const { return flips_; }
  std::uint64_t clean_flips() const { return clean_flips_; }
  // Instructions of a run of the attempt just committed that no flip has touched.
  std::uint64_t undisturbed_length() const {
    return flipped_ && target_ == dwc::WhichRun::First ? machine_.retired() : first_length_;
  }

  // A flip that this PE has not noticed, in a page that it has not written, died out: the line is
  // evicted, the frame is mended. What stays in committed memory is beyond the fault model.
  void pe_is_over() {
    drop_line();
    if (!clean_flip_) return;
    const auto [page, word, flipped, bits] = *clean_flip_;
    clean_flip_.reset();
    const auto at = static_cast<std::size_t>(page);
    if (written_by_first_[at] || machine_.written()[at]) return;
    std::uint64_t& now = machine_.words(machine_.entry(page).frame)[word];
    if (now == flipped) now ^= bits;
  }

private:
  enum class Read : std::uint8_t { Right, BadLine, BadFrame };
  struct CleanFlip {
    Page page;
    std::size_t word;
    std::uint64_t flipped, bits;
  };

  void run_begins(dwc::WhichRun run) {
    run_ = run;
    if (run == dwc::WhichRun::Second) return;
    clean_flip_.reset();
    const std::uint64_t pe = process_.controller().pe_number();
    const std::uint64_t expiries = process_.statistics().watchdog_expiries;
    if (pe != pe_) {
      pe_ = pe;
      attempts_ = 0;
      expiries_ = expiries;
    }
    flipped_ = false;
    const bool may_flip = trial_.flips && attempts_++ < 3 && expiries == expiries_;
    pending_ = may_flip && random_.one_in(3);
    read_ = Read::Right;
    if (may_flip && !pending_ && random_.one_in(4)) {
      read_ = random_.one_in(2) ? Read::BadLine : Read::BadFrame;
    }
    target_ = random_.one_in(2) ? dwc::WhichRun::First : dwc::WhichRun::Second;
    at_ = random_.below(std::uint64_t{1} << random_.below(std::bit_width(trial_.latest_flip)));
  }

  void run_ended(dwc::WhichRun run) {
    if (pending_ && run == target_) flip(true);
    if (run == dwc::WhichRun::Second) return;
    first_length_ = machine_.retired();
    written_by_first_ = machine_.written();
    drop_line();
  }

  void drop_line() {
    machine_.drop_line();
    line_page_.reset();
  }

  // With a page that leaves the set and may join it again: the copy that a page's first write takes
  // is read through the cache, so a bad line there is in both runs (docs/fault-model.md).
  bool line_is_evicted() const {
    return line_page_ && run_ == dwc::WhichRun::First && !machine_.entry(*line_page_).enabled;
  }

  void flip(bool run_is_over) {
    pending_ = false;
    flipped_ = true;
    ++flips_;
    const std::uint64_t bit = std::uint64_t{1} << random_.below(64);
    if (!run_is_over && random_.one_in(16) && store_astray()) return;
    if (random_.one_in(2)) {
      if (const std::optional<Page> page = some_page()) {
        machine_.words(machine_.entry(*page).frame)[random_.word()] ^= bit;
        return;
      }
    }
    const std::uint64_t word = random_.below(Registers::count);
    const bool in_cpu = !run_is_over && word >= Registers::first_extended;
    if (in_cpu) machine_.extended()[word - Registers::first_extended] ^= bit;
    if (!in_cpu) machine_.registers().word[word] ^= bit;
  }

  // A store that is not the program's, to a page that the run can write.
  bool store_astray() {
    const auto page = static_cast<Page>(random_.below(machine_.page_count()));
    if (!machine_.entry(page).enabled) return false;
    machine_.store_astray(page, random_.word(), random_.any());
    return true;
  }

  // What the next load reads: a line of the cache, or the frame itself. In the first run only lines
  // of pages of the set, as others may join it. Frames in the second run only: both runs read what
  // the first one leaves in a page that it has not written.
  void flip_what_is_read() {
    const auto& registers = machine_.registers().word;
    if (registers[Registers::ip] >= trial_.program.size()) return;
    const Instruction& next = trial_.program[registers[Registers::ip]];
    const std::uint64_t address = registers[next.b % Registers::general] + next.value;
    if (next.op != Op::Load || address / page_bytes >= machine_.page_count()) return;
    const auto page = static_cast<Page>(address / page_bytes);
    const PageTableEntry& entry = machine_.entry(page);
    const bool first = run_ == dwc::WhichRun::First, line = read_ == Read::BadLine;
    const bool any_page = line && !first;
    if (any_page && is_copy(page)) return;
    if (!entry.present || entry.dirty || (!entry.enabled && !any_page) || (first && !line)) return;
    read_ = Read::Right;
    flipped_ = true;
    ++flips_;
    ++clean_flips_;
    const std::size_t word = address % page_bytes / 8;
    const std::uint64_t bit = std::uint64_t{1} << random_.below(64);
    if (line) {
      machine_.spoil_line({entry.frame, word, bit});
      line_page_ = page;
    } else {
      std::uint64_t& now = machine_.words(entry.frame)[word];
      now ^= bit;
      clean_flip_ = {page, word, now, bit};
    }
  }

  // The second run's copy of a page has just been written: its lines are dirty, and a flip in one
  // is a flip of the frame. A bad line over intact memory could look like a store still to come.
  bool is_copy(Page page) const {
    const bool full = trial_.settings.check == dwc::CheckScope::Full;
    const bool rewound = full || written_by_first_[static_cast<std::size_t>(page)];
    return machine_.entry(page).enabled && rewound;
  }

  // One that this run has written; under check=full any that it could write.
  std::optional<Page> some_page() {
    const std::size_t start = random_.below(machine_.page_count());
    for (std::size_t i = 0; i < machine_.page_count(); ++i) {
      const std::size_t k = (start + i) % machine_.page_count();
      const auto page = static_cast<Page>(k);
      if (!machine_.entry(page).enabled) continue;
      const bool full = trial_.settings.check == dwc::CheckScope::Full;
      if (full || machine_.written()[k]) return page;
    }
    return std::nullopt;
  }

  M& machine_;
  Process<M>& process_;
  Random& random_;
  const Trial& trial_;
  dwc::WhichRun run_ = dwc::WhichRun::First, target_ = dwc::WhichRun::First;
  bool pending_ = false, flipped_ = false;
  Read read_ = Read::Right;  // by the target run, at its next chance
  std::uint64_t at_ = 0, pe_ = 0, attempts_ = 0, expiries_ = 0, flips_ = 0, clean_flips_ = 0;
  std::uint64_t first_length_ = 0;
  std::vector<bool> written_by_first_;
  std::optional<Page> line_page_;        // under the bad line
  std::optional<CleanFlip> clean_flip_;  // in a frame of the set, by the second run
};

inline dwc::Settings random_settings(Random& random) {
  return {.policy = random.one_in(3) ? dwc::Policy::Classic : dwc::Policy::Rotate,
          .check = random.one_in(4) ? dwc::CheckScope::Full : dwc::CheckScope::Dirty,
          .page_budget = static_cast<std::uint32_t>(4 + random.below(12)),
          .most_asleep = static_cast<std::uint32_t>(random.one_in(2) ? 0 : random.below(8)),
          .restart_limit = 3,
          .clean_limit = static_cast<std::uint32_t>(1 + random.below(5)),
          .limit_ticks = 20000,
          .second_run_slack_ticks = 500};
}

// Where two machines that should be alike differ.
inline std::optional<std::string> difference(Machine& machine, Machine& reference) {
  for (std::size_t i = 0; i < Registers::count; ++i) {
    if (machine.registers().word[i] == reference.registers().word[i]) continue;
    return "register word " + std::to_string(i);
  }
  for (std::size_t i = 0; i < machine.page_count(); ++i) {
    const auto page = static_cast<Page>(i);
    const auto a = machine.content(page);
    const auto b = reference.content(page);
    if (!std::equal(a.begin(), a.end(), b.begin(), b.end())) return "page " + std::to_string(i);
  }
  return std::nullopt;
}

template <class M>
std::size_t frames_in_use(const M& machine) {
  std::size_t own = 0;
  for (std::size_t i = 0; i < machine.page_count(); ++i) {
    const PageTableEntry& entry = machine.entry(static_cast<Page>(i));
    own += entry.present && !entry.shared ? 1 : 0;
  }
  return own;
}

inline constexpr std::uint64_t far_beyond = 1'000'000;  // instructions; no PE is as long

// One PE on both machines; what was wrong with it, if anything was.
template <class M>
std::optional<std::string> run_both(M& machine, Process<M>& process, FlipPlan<M>& plan,
                                    Machine& reference, PlainProcess& plain) {
  if (process.run_pe() == dwc::Next::Stop) return "stopped";
  plan.pe_is_over();
  const dwc::PeEnd& end = process.controller().end();
  const bool by_count = ended_by_count(end);
  const dwc::PeEnd expected = plain.run(by_count ? plan.undisturbed_length() : far_beyond);
  reference.complete();
  if (by_count ? !ended_by_count(expected) : expected != end) return "another end was served";
  if (const auto where = difference(machine, reference)) return "wrong state committed: " + *where;
  process.serve();
  plain.serve(expected);
  if (process.kernel().log != plain.kernel().log) return "another output";
  return std::nullopt;
}

// The first thing that was wrong in a trial. Adds to the tally what happened.
template <class M>
std::optional<std::string> violation_in(const Trial& trial, Random& random, std::uint64_t seed,
                                        Tally& tally) try {
  using Engine = typename M::Engine;
  M platform{trial.program, trial.pages, trial.frames};
  Engine& machine = platform;
  Machine reference{trial.program, trial.pages, trial.pages};
  machine.entry_ticks = trial.entry_ticks;
  if (trial.counter) machine.use_counter(*trial.counter, seed);
  lay_out_pages(machine, seed);
  lay_out_pages(reference, seed);
  Process<Engine> process{machine, trial.settings};
  PlainProcess plain{reference};
  FlipPlan<Engine> plan{machine, process, random, trial};

  std::optional<std::string> wrong;
  for (std::uint64_t pe = 0; !wrong && !process.kernel().exited; ++pe) {
    if (pe == trial.most_pes && trial.must_end) return "does not come to an end";
    if (pe == trial.most_pes) break;
    wrong = run_both(machine, process, plan, reference, plain);
  }
  process.controller().clear();
  const bool leaked = machine.free_frames() + frames_in_use(machine) != trial.frames;
  if (!wrong && leaked) wrong = "frames leaked";

  tally.add(process.statistics());
  tally.flips += plan.flips();
  tally.clean_flips += plan.clean_flips();
  tally.ended += process.kernel().exited ? 1 : 0;
  tally.widest = std::max(tally.widest, process.controller().margin());
  tally.classic += trial.settings.policy == dwc::Policy::Classic ? 1 : 0;
  tally.full_checks += trial.settings.check == dwc::CheckScope::Full ? 1 : 0;
  return wrong;
} catch (const Violation& violation) {
  return violation.what();
}

template <class M>
std::optional<std::string> violation_of(std::uint64_t seed, Tally& tally) {
  Random random{seed};
  const std::size_t pages = 4 + random.below(10);
  const dwc::Settings settings = random_settings(random);
  const Program program = random_program(random, pages);
  const std::size_t frames = pages + 4 + random.below(16);
  return violation_in<M>(
      {.program = program, .pages = pages, .frames = frames, .settings = settings}, random, seed,
      tally);
}

}  // namespace fake
