// See counter_self_test.hpp. A long line of one-byte instructions, in which RIP alone tells how
// many were executed, runs up to a page of short programs; each ends in a SYSCALL.
#include "arch/x86_64/counter_self_test.hpp"

#include <array>

#include "arch/frame_memory.hpp"
#include "arch/page_table.hpp"
#include "arch/user_state.hpp"
#include "arch/x86_64/instructions.hpp"
#include "kernel/base/extremes.hpp"

namespace arch {

using namespace x86;

namespace {

constexpr std::uint64_t line_page = 0x400, line_pages = 16, data_page = 0x500;
constexpr std::uint64_t line_begin = line_page << reprise::page_shift;
constexpr std::uint64_t line_length = line_pages << reprise::page_shift;
constexpr std::uint64_t eight_nops = 0x9090909090909090;

struct Program {
  std::string_view name;
  std::uint64_t instructions;
  std::uint64_t iterations;  // of a REP, which may count as one instruction or each by itself
  std::array<std::uint8_t, 20> code;
};

// RDI points to memory, RSI is 0, where nothing is.
constexpr Program programs[] = {
    {"straight line", line_length + 1, 0, {0x0f, 0x05}},  // syscall
    // mov ecx, 10000; 1: dec ecx; jnz 1b; syscall
    {"loop", 20'002, 0, {0xb9, 0x10, 0x27, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0x0f, 0x05}},
    // mov ecx, 20; 1: mov [rsi], al; dec ecx; jnz 1b; syscall
    {"page faults", 42, 0, {0xb9, 20, 0, 0, 0, 0x88, 0x06, 0xff, 0xc9, 0x75, 0xfa, 0x0f, 0x05}},
    // mov ecx, 200; 1: lock inc [rdi]; dec ecx; jnz 1b; syscall
    {"LOCK", 602, 0, {0xb9, 200, 0, 0, 0, 0xf0, 0xff, 0x07, 0xff, 0xc9, 0x75, 0xf9, 0x0f, 0x05}},
    // mov ebp, 20; 1: xor eax, eax; cpuid; dec ebp; jnz 1b; syscall
    {"CPUID", 82, 0,
     {0xbd, 20, 0, 0, 0, 0x31, 0xc0, 0x0f, 0xa2, 0xff, 0xcd, 0x75, 0xf8, 0x0f, 0x05}},
    // mov ecx, 1000; rep stosb; syscall
    {"REP", 3, 1000, {0xb9, 0xe8, 3, 0, 0, 0xf3, 0xaa, 0x0f, 0x05}},
};
constexpr const Program &line = programs[0], &loop = programs[1], &faults = programs[2];
constexpr std::uint64_t faulting_bytes = 2;  // of the MOV to nowhere, which is left out
constexpr std::uint64_t program_bytes = 32;  // from one to the next

constexpr unsigned patience = 1000;   // traps in one program
constexpr unsigned interruptions = 5;
constexpr unsigned stops = 64;
constexpr std::uint64_t reserve = 4;  // of the margin

constexpr std::uint64_t added(std::int64_t correction) {
  return correction < 0 ? 0 : static_cast<std::uint64_t>(correction);
}
constexpr std::uint64_t distance(std::uint64_t a, std::uint64_t b) { return a < b ? b - a : a - b; }

class CounterTest {
public:
  explicit CounterTest(CounterBackEnd& back_end) : back_end_{back_end} {
    facts_ = {.name = limits_.name, .counts = true};
  }

  bool passed() {
    if (!back_end_.start()) return refuse("its registers do not exist");
    use_counter(back_end_, facts_, {});
    if (!calibrate() || !count_all() || !count_all() || !stop_everywhere()) return false;
    facts_.overcount_interrupt = added(corrections_.interrupt);
    facts_.overcount_fault = added(corrections_.fault);
    facts_.margin = reserve + 2 * (facts_.skid + facts_.tolerance);
    use_counter(back_end_, facts_, corrections_);
    return true;
  }
  reprise::TextLine reason;

private:
  template <class... Parts>
  bool refuse(const Parts&... parts) {
    reason = reprise::TextLine{parts...};
    return false;
  }

  void begin(const Program& program) {
    constexpr std::uint64_t data = data_page << reprise::page_shift;
    const auto index = static_cast<std::uint64_t>(&program - programs);
    initialize(state_, index == 0 ? line_begin : line_begin + line_length + index * program_bytes,
               data + reprise::page_size);
    state_[Register::Rdi] = data;
    load_rest(state_);
    restart_count();
  }
  [[nodiscard]] std::uint64_t position() const { return state_[Register::Rip] - line_begin; }

  // To the next trap that decides something; a broken counter may give others without end.
  Trap run(std::uint64_t nanoseconds = 0) {
    arm_timer(reprise::Nanoseconds{nanoseconds});
    Trap trap = run_user(state_);
    for (unsigned i = 0; i < patience && trap.kind == Trap::Kind::Device; ++i) {
      trap = run_user(state_);
    }
    return trap;
  }

  bool run_whole(const Program& program, unsigned interrupts) {
    begin(program);
    for (unsigned i = 0; i < patience; ++i) {
      const Trap trap = run(interrupts != 0 ? 1000 : 0);
      if (trap.kind == Trap::Kind::SystemCall) return true;
      if (trap.kind == Trap::Kind::Timer) --interrupts;
      if (trap.kind == Trap::Kind::Exception) state_[Register::Rip] += faulting_bytes;
    }
    return refuse(program.name, ": does not come to its end");
  }

  // What the kind of trap that came last adds to a count.
  bool learn(std::string_view what, std::uint64_t instructions, std::int64_t& correction) {
    correction = static_cast<std::int64_t>(count() - instructions);
    if (distance(count(), instructions) <= limits_.correction) return true;
    return refuse(what, ": counts ", count(), " instead of ", instructions);
  }

  // A timer interrupt within the line; how long it takes to get there is the machine's affair.
  bool interrupt_line() {
    for (std::uint64_t time = 500; time < 1'000'000; time *= 2) {
      begin(line);
      if (run(time).kind == Trap::Kind::Timer && position() != 0) return true;
    }
    return refuse("no timer interrupt");
  }

  bool calibrate() {
    constexpr std::uint64_t place = 2048;
    Corrections found;
    if (!run_whole(line, 0)) return false;
    if (count() == 0) return refuse("does not count");
    if (!learn(line.name, line.instructions, found.call)) return false;
    begin(faults);
    run();
    if (!learn(faults.name, 1, found.fault)) return false;
    if (!interrupt_line() || !learn("interrupt", position(), found.interrupt)) return false;
    begin(line);
    stop_at_count(place);
    static_cast<void>(run_user(state_));  // not run(): too early, it would go on to the place
    if (position() < place) found.stop = static_cast<std::int64_t>(place - position());
    if (position() + limits_.correction < place) return refuse("stops at once");
    corrections_ = found;
    use_counter(back_end_, facts_, found);
    return true;
  }

  bool agrees(std::string_view what, std::uint64_t instructions, std::uint64_t iterations) {
    std::uint64_t off = distance(count(), instructions);
    if (iterations != 0) {
      off = reprise::smaller(off, distance(count(), instructions + iterations));
      off = reprise::smaller(off, distance(count(), instructions + iterations - 1));
    }
    facts_.tolerance = reprise::larger(facts_.tolerance, off);
    return off <= limits_.tolerance ||
           refuse(what, ": counts ", count(), " instead of ", instructions);
  }

  bool count_all() {
    for (const Program& program : programs) {
      if (!run_whole(program, &program == &loop ? interruptions : 0) ||
          !agrees(program.name, program.instructions, program.iterations)) {
        return false;
      }
    }
    return true;
  }

  bool stop_everywhere() {
    for (std::uint64_t i = 0; i < stops; ++i) {
      const std::uint64_t place = 1 + 7 * i * i;
      begin(line);
      stop_at_count(place);
      if (run().kind != Trap::Kind::Counter) return refuse("does not stop at ", place);
      if (position() < place) return refuse("stops at ", position(), " instead of ", place);
      facts_.skid = reprise::larger(facts_.skid, position() - place);
      if (!agrees("stop", position(), 0)) return false;
      set_single_step(true);  // as the kernel does from there on
      run();
      set_single_step(false);
      if (!agrees("single step", position(), 0)) return false;
    }
    return true;
  }

  CounterBackEnd& back_end_;
  const CounterBackEnd::Limits limits_ = back_end_.limits();
  CounterFacts facts_{};
  Corrections corrections_{};
  UserState state_;
};

bool add_page(PageTable& space, reprise::FrameSource& frames, std::uint64_t page, bool code) {
  const auto frame = frames.allocate();
  if (!frame) return false;
  for (std::uint64_t& word : frame_words(*frame)) word = eight_nops;
  if (page == line_page + line_pages) {
    auto* to = reinterpret_cast<std::uint8_t*>(frame_words(*frame).data());
    for (const Program& program : programs) {
      __builtin_memcpy(to, program.code.data(), program.code.size());
      to += program_bytes;
    }
  }
  const Mapping mapping{*frame, {true, !code, code}, Ownership::Owned,
                        code ? WriteAccess::Protected : WriteAccess::Enabled};
  if (space.map(reprise::PageNumber{page}, mapping)) return true;
  frames.release(*frame);
  return false;
}

}  // namespace

reprise::Result<reprise::Done, reprise::TextLine> x86::test_counter(CounterBackEnd& back_end,
                                                                    reprise::FrameSource& frames) {
  auto space = PageTable::create(frames);
  bool mapped = space && add_page(*space, frames, data_page, false);
  for (std::uint64_t i = 0; i <= line_pages; ++i) {
    mapped = mapped && add_page(*space, frames, line_page + i, true);
  }
  if (!mapped) return reprise::Failure{reprise::TextLine{"no memory for its self-test"}};
  const std::uint64_t before = read_cr3();
  space->activate();
  CounterTest test{back_end};
  const bool passed = test.passed();
  arm_timer({});
  restart_count();
  write_cr3(before);
  if (!passed) return reprise::Failure{test.reason};
  return reprise::Done{};
}

}  // namespace arch
