#include "user/init/counter_test.hpp"

#include <array>

#include "kernel/base/arithmetic.hpp"

extern "C" const std::uint8_t counter_loop[], counter_page_faults[], counter_lock[],
    counter_cpuid[], counter_rep[];

namespace reprise {
namespace {

using Ending = CounterProbe::Ending;

// Of counter_programs.asm.
struct ProbedProgram {
  std::string_view name;
  const std::uint8_t* begin;
  std::uint64_t instructions;
  std::uint64_t iterations;  // of a REP, which may count as one instruction or each by itself
};
constexpr std::uint64_t line_length = 65536;
constexpr ProbedProgram line{.name = "straight line",
                             .begin = counter_programs,
                             .instructions = line_length + 1,
                             .iterations = 0};
constexpr ProbedProgram loop{
    .name = "loop", .begin = counter_loop, .instructions = 20'002, .iterations = 0};
constexpr ProbedProgram faults{
    .name = "page faults", .begin = counter_page_faults, .instructions = 62, .iterations = 0};
constexpr std::array probed_programs{
    line,
    loop,
    faults,
    ProbedProgram{.name = "LOCK", .begin = counter_lock, .instructions = 602, .iterations = 0},
    ProbedProgram{.name = "CPUID", .begin = counter_cpuid, .instructions = 82, .iterations = 0},
    ProbedProgram{.name = "REP", .begin = counter_rep, .instructions = 3, .iterations = 1000},
};
constexpr std::uint64_t faulting_bytes = 2;

// A counter that exceeds them is refused.
struct Limits {
  CounterKind kind;
  std::string_view name;
  std::uint64_t correction;  // how much one trap may add to a count
  std::uint64_t tolerance;   // how far off a count may be
};
constexpr std::array<Limits, 4> limits{
    Limits{.kind = CounterKind::Landmark, .name = "landmark", .correction = 0, .tolerance = 0},
    Limits{.kind = CounterKind::PmuIntel, .name = "pmu-intel", .correction = 8, .tolerance = 16},
    Limits{.kind = CounterKind::PmuAmd, .name = "pmu-amd", .correction = 8, .tolerance = 16},
    Limits{.kind = CounterKind::Icount, .name = "icount", .correction = 1000, .tolerance = 0},
};

constexpr const Limits& limits_of(CounterKind kind) {
  for (const Limits& of_kind : limits) {
    if (of_kind.kind == kind) return of_kind;
  }
  return limits.front();  // not reached: each kind has a row
}

constexpr unsigned patience = 1000;                 // traps in one program
constexpr std::uint64_t long_time = 1'000'000'000;  // nanoseconds; none of the programs takes that
constexpr unsigned interruptions = 5;
constexpr unsigned timer_rounds = 64;
constexpr unsigned stops = 64;
constexpr std::uint64_t reserve = 4;  // of the margin

constexpr std::uint64_t distance(std::uint64_t a, std::uint64_t b) { return a < b ? b - a : a - b; }

class CounterTest {
public:
  CounterTest(CounterKind kind, const CounterProbes& probes)
      : probes_{probes}, limits_{limits_of(kind)} {
    facts_.settings.kind = kind;
  }

  bool passed() {
    begin(faults);
    if (enter(long_time) == Ending::None) return refuse("its registers do not exist");
    if (!calibrate() || !count_all() || !count_all() || !stop_everywhere()) return false;
    facts_.settings.margin = reserve + 2 * (facts_.skid + facts_.settings.tolerance);
    return true;
  }
  [[nodiscard]] const CounterFacts& facts() const { return facts_; }
  TextLine reason;

private:
  template <class... Parts>
  bool refuse(const Parts&... parts) {
    reason = TextLine{parts...};
    return false;
  }

  [[nodiscard]] std::uint64_t& rip() { return probe_.registers.rip; }
  [[nodiscard]] std::uint64_t position() { return rip() - probes_.programs; }  // in the line

  void begin(const ProbedProgram& program, std::uint64_t stop = 0) {
    probe_ = {};
    rip() = probes_.programs + static_cast<std::uint64_t>(program.begin - counter_programs);
    probe_.registers.rdi = probes_.data;
    probe_.registers.rsp = probes_.data + REPRISE_PAGE_SIZE;
    stop_ = stop;
    count_ = left_out_ = 0;
  }

  // Runs to the next trap. Each probe counts from 0.
  Ending enter(std::uint64_t nanoseconds) {
    probe_.counter = facts_.settings;
    probe_.time = nanoseconds;
    probe_.stop = stop_ > count_ ? stop_ - count_ : 0;
    probe_.count = 0;
    probe_.ending = Ending::None;
    probes_.run(probe_);
    count_ += probe_.count;
    return probe_.ending;
  }

  // Runs to the next trap that decides something. A broken counter may cause others without end.
  Ending run(std::uint64_t nanoseconds = long_time) {
    Ending ending = enter(nanoseconds);
    for (unsigned i = 0; i < patience && ending == Ending::Device; ++i) {
      ending = enter(nanoseconds);
    }
    return ending;
  }

  bool run_whole(const ProbedProgram& program, unsigned interrupts) {
    begin(program);
    for (unsigned i = 0; i < patience; ++i) {
      const Ending ending = run(interrupts != 0 ? 1000 : long_time);
      if (ending == Ending::SystemCall) return true;
      if (ending == Ending::Timer && interrupts != 0) --interrupts;
      if (ending == Ending::Exception) {
        rip() += faulting_bytes;
        ++left_out_;
      }
    }
    return refuse(program.name, ": does not come to its end");
  }

  // How much the last trap adds to a count.
  bool learn(std::string_view what, std::uint64_t instructions, std::int64_t& correction) {
    correction = static_cast<std::int64_t>(count_ - instructions);
    if (distance(count_, instructions) <= limits_.correction) return true;
    return refuse(what, ": counts ", count_, " instead of ", instructions);
  }

  // A timer interrupt within the straight line of code. How soon it comes depends on the machine.
  // An emulator on a busy host may have it late, behind the line, many times in a row.
  bool interrupt_line() {
    for (unsigned round = 0; round < timer_rounds; ++round) {
      for (std::uint64_t time = 500; time < 1'000'000; time *= 2) {
        begin(line);
        if (run(time) == Ending::Timer && position() != 0) return true;
      }
    }
    return refuse("no timer interrupt");
  }

  bool calibrate() {
    constexpr std::uint64_t place = 2048;
    CounterSettings::Corrections found;
    if (!run_whole(line, 0)) return false;
    if (count_ == 0) return refuse("does not count");
    if (!learn(line.name, line.instructions, found.call)) return false;
    begin(faults);
    run();
    if (!learn(faults.name, 1, found.fault)) return false;
    if (!interrupt_line() || !learn("interrupt", position(), found.interrupt)) return false;
    begin(line, place);
    enter(long_time);  // not run(): too early, it would go on to the place
    if (position() < place) found.stop = static_cast<std::int64_t>(place - position());
    if (position() + limits_.correction < place) return refuse("stops at once");
    facts_.settings.corrections = found;
    return true;
  }

  bool agrees(std::string_view what, std::uint64_t instructions, std::uint64_t iterations) {
    std::uint64_t off = distance(count_, instructions);
    if (iterations != 0) {
      off = smaller(off, distance(count_, instructions + iterations));
      off = smaller(off, distance(count_, instructions + iterations - 1));
    }
    facts_.settings.tolerance = larger(facts_.settings.tolerance, off);
    return off <= limits_.tolerance ||
           refuse(what, ": counts ", count_, " instead of ", instructions);
  }

  bool count_all() {
    for (const ProbedProgram& program : probed_programs) {
      if (!run_whole(program, program.begin == loop.begin ? interruptions : 0) ||
          !agrees(program.name, program.instructions - left_out_, program.iterations)) {
        return false;
      }
    }
    return true;
  }

  bool stop_everywhere() {
    for (std::uint64_t i = 0; i < stops; ++i) {
      const std::uint64_t place = 1 + 7 * i * i;
      begin(line, place);
      if (run() != Ending::Counter) return refuse("does not stop at ", place);
      if (position() < place) return refuse("stops at ", position(), " instead of ", place);
      facts_.skid = larger(facts_.skid, position() - place);
      if (!agrees("stop", position(), 0)) return false;
      probe_.steps = 1;  // as the kernel does from there on
      run();
      if (!agrees("single step", position(), 0)) return false;
    }
    return true;
  }

  const CounterProbes& probes_;
  const Limits& limits_;
  CounterFacts facts_{};
  CounterProbe probe_{};
  std::uint64_t stop_ = 0, count_ = 0;
  std::uint64_t left_out_ = 0;  // instructions that have faulted
};

}  // namespace

std::string_view name_of(CounterKind kind) { return limits_of(kind).name; }

Result<CounterFacts, TextLine> test_counter(CounterKind kind, const CounterProbes& probes) {
  CounterTest test{kind, probes};
  if (!test.passed()) return Failure{test.reason};
  return test.facts();
}

}  // namespace reprise
