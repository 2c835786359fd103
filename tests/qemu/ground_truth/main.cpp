// A kernel that is all test, for ground_truth_test.py: is every position at which the time limit
// stops a program one that the program passes through? The modules are pairs of one program each.
// The first of a pair, not hardened, is run one instruction at a time, and each position goes into
// a table. The second runs twice as in the kernel, with a time limit of random length for each PE;
// whatever is committed must stand in the table, in order, and the program must end alike.
//
// Linked from the kernel's own objects, all but main.cpp. Boot arguments are the kernel's;
// inject.seed= chooses the random lengths.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "arch/boot_info.hpp"
#include "arch/clock.hpp"
#include "arch/descriptor_tables.hpp"
#include "arch/extended_state.hpp"
#include "arch/features.hpp"
#include "arch/frame_memory.hpp"
#include "arch/interrupts.hpp"
#include "arch/kernel_tables.hpp"
#include "arch/physical_memory.hpp"
#include "arch/power.hpp"
#include "arch/serial.hpp"
#include "arch/timer.hpp"
#include "arch/user_state.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/context/element.hpp"
#include "kernel/the_machine.hpp"
#include "tests/qemu/ground_truth/answers.hpp"
#include "tests/qemu/ground_truth/counter.hpp"
#include "tests/qemu/ground_truth/runner_access.hpp"
#include "tests/qemu/ground_truth/single_step.hpp"
#include "tests/qemu/ground_truth/trace.hpp"
#include "user/init/arguments.hpp"
#include "user/init/boot_info.hpp"
#include "user/init/event_line.hpp"
#include "user/init/module_string.hpp"
#include "user/init/settings.hpp"
#include "user/init/words.hpp"

namespace ground_truth {
namespace {

using namespace reprise;
using arch::Register;
using PeKind = dwc::PeEnd::Kind;

constinit Settings settings;
constinit BootFacts boot;
constinit Trace trace;

constexpr std::uint64_t wanted_stops = 2000;

// How long the next first run may take: so that about `wanted_stops` of them cover the program, and
// some are stopped before their first instruction. What the kernel itself needs from arming to
// ring 3 is learnt.
class RandomLimit {
public:
  void begin(std::uint64_t seed, std::uint64_t positions) {
    state_ = seed * 0x9e3779b97f4a7c15 | 1;
    longest_ = 2 * positions / wanted_stops + 1;
    lead_ = 0;
  }
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return 1 + lead_ + state_ % longest_;
  }
  void learn(std::uint64_t progress) {
    constexpr std::uint64_t step = 16;
    if (progress == 0) {
      lead_ += step;
    } else if (lead_ != 0) {
      --lead_;
    }
  }
  void end() { longest_ = 0; }
  [[nodiscard]] bool active() const { return longest_ != 0; }  // a hardened process runs

private:
  std::uint64_t state_ = 0, longest_ = 0, lead_ = 0;
};
constinit RandomLimit random_limit;

constinit std::array<std::array<char, 32>, ProcessTable::capacity> names{};  // of the processes
std::string_view name_of(const Process& process) { return names[process.number() - 1].data(); }

void tell_lost(Process& process, std::size_t from) {
  const arch::UserState& state = process.context().registers();
  const std::size_t before = trace.find(position_of(state), 0).value_or(trace.size());
  print_event("ground-truth-lost", "process", name_of(process), "behind", std::uint64_t{from},
              "rip", Hex{state[Register::Rip]}, "rcx", Hex{state[Register::Rcx]}, "rflags",
              Hex{state[Register::Rflags]}, "elsewhere",
              before == trace.size() ? TextLine{"nowhere"} : TextLine{before});
}

std::optional<Result> record(Process& process) {
  Answers answers{machine};
  process.space().table().activate();
  arch::arm_timer({});
  bool fits = trace.append(position_of(process.context().registers()));
  arch::load_rest(process.context().registers());
  while (fits) {
    if (const StepResult reached = step(process); reached.end) {
      if (const auto result = answers.serve(process, *reached.end)) return result;
      arch::load_rest(process.context().registers());
    }
    fits = trace.append(position_of(process.context().registers()));
  }
  say("the program is longer than the table of its positions");
  return std::nullopt;
}

struct Counts {
  std::uint64_t stops = 0;      // PEs that the time limit ended, all looked up in the trace
  std::uint64_t empty = 0;      // of them, without an instruction
  std::uint64_t repeating = 0;  // of them, within a repeated string instruction
  std::uint64_t lost = 0;       // not in the trace behind the last one
};

bool within_repetition(std::size_t index) {
  return (index != 0 && trace[index - 1].rip == trace[index].rip) ||
         (index + 1 < trace.size() && trace[index + 1].rip == trace[index].rip);
}

// Looks the process's state up; returns its place, or nothing when the program was never there.
std::optional<std::size_t> look_up(Process& process, std::size_t from, Counts& counts) {
  const auto found = trace.find(position_of(process.context().registers()), from);
  if (!found) {
    ++counts.lost;
    tell_lost(process, from);
  }
  return found;
}

std::optional<Result> follow(Process& process, Counts& counts) {
  constexpr std::uint64_t enough = 5;
  Answers answers{machine};
  std::size_t at = 0;
  while (counts.lost < enough) {
    const dwc::PeEnd* const end =
        ElementRunner{process.context()}.run(Nanoseconds{settings.kernel.pe_limit});
    if (end == nullptr) {
      print_event("ground-truth-mismatch", "process", name_of(process), "pe",
                  process.context().engine().diagnosis().pe);
      return std::nullopt;
    }
    if (end->kind == PeKind::SystemCall || end->kind == PeKind::Exception) {
      if (const auto result = answers.serve(process, *end)) return result;
    }
    const auto found = look_up(process, at, counts);
    if (end->kind == PeKind::TimeLimit) {
      ++counts.stops;
      const std::size_t progress = found.value_or(at + 1) - at;
      counts.empty += progress == 0 ? 1 : 0;
      counts.repeating += within_repetition(found.value_or(0)) ? 1 : 0;
      random_limit.learn(progress);
    }
    at = found.value_or(at);
  }
  return std::nullopt;
}

void start_machine(std::uint32_t magic, std::uint32_t info) {
  make_machine();
  arch::start_emergency_serial();
  arch::load_descriptor_tables();
  arch::require_features();
  machine.boot = &arch::read_boot_info(magic, info);
  machine.frames.initialize(machine.boot->memory);
  arch::build_kernel_tables(*machine.boot, machine.frames);
  arch::start_extended_state();
  arch::start_interrupts();
  arch::start_clock();
  machine.zero = *machine.frames.allocate();
  arch::clear_frame(machine.zero);
}

// The processes' numbers stand in their start blocks: the one word in which they would differ.
void make_alike(Process& process, const Process& other) {
  const UserAddr number{process.context().registers()[Register::Rdi] +
                        offsetof(reprise_start, process)};
  const std::uint64_t id = other.number();
  static_cast<void>(own_space(process).load(number, std::as_bytes(std::span{&id, 1})));
}

[[noreturn]] void give_up(std::string_view why) {
  say(why);
  arch::exit_machine(ExitCode::MachineUnfit);
}

// As init does it, but for the environment.
void start_programs() {
  static std::array<char, 4096> text, strings;
  std::array<std::string_view, 64> words;
  std::uint64_t archive = no_archive;
  const std::span<const BootModule> modules = boot.modules();
  for (std::uint64_t i = 0; i < modules.size(); ++i) {
    if (modules[i].string == "archive") archive = i;
  }
  for (std::uint64_t i = 0; i < modules.size(); ++i) {
    const auto purpose = parse_module_string(modules[i].string, text, words);
    if (!purpose || purpose.value().role != ModuleRole::Program) continue;
    ProgramRequest request;
    request.module = i;
    auto& name = names[machine.processes.size()];
    copy_text(purpose.value().name, std::span{name}.first(name.size() - 1));
    request.archive = archive;
    request.hardened = settings.hardens(purpose.value().name) ? 1 : 0;
    request.argument_count = purpose.value().argv.size();
    std::size_t used = 0;
    for (const std::string_view word : purpose.value().argv) {
      used += copy_text(word, std::span{strings}.subspan(used, strings.size() - 1 - used));
      strings[used++] = '\0';
    }
    if (!machine.start(request, std::span{strings}.first(used))) give_up("no program");
  }
}

void print_result(const Process& process, const Result& result) {
  print_event("ground-truth-end", "process", name_of(process), "status",
              std::uint64_t{result.status}, "output_bytes", result.output_bytes, "output",
              Hex{result.output}, "memory", Hex{result.memory}, "ends", result.ends);
}

bool compare_runs(Process& traced, Process& stopped, std::string_view counter) {
  make_alike(stopped, traced);
  trace.clear();
  const std::optional<Result> reference = record(traced);
  if (!reference) return false;
  print_result(traced, *reference);
  traced.end(reference->status);
  Counts counts;
  random_limit.begin(settings.inject_seed + stopped.number(), trace.size());
  const std::optional<Result> result = follow(stopped, counts);
  random_limit.end();
  if (result) print_result(stopped, *result);
  const bool alike = result && *result == *reference;
  print_event("ground-truth", "process", name_of(stopped), "counter", counter, "positions",
              std::uint64_t{trace.size()}, "stops", counts.stops, "empty", counts.empty,
              "repeating", counts.repeating, "lost", counts.lost, "alike",
              std::string_view{alike ? "yes" : "no"});
  stopped.end(result ? result->status : status_stopped);
  print_event("verdicts", "process", name_of(stopped), "mismatches",
              stopped.context().engine().statistics().mismatches.total);
  return alike && counts.lost == 0;
}

}  // namespace
}  // namespace ground_truth

// Init's text goes to the kernel's log.
void reprise::print_whole_line(std::string_view prefix, std::string_view text) {
  machine.log.write_line(prefix, text);
}

// Takes the place of arch::arm_timer() (the linker's --wrap): the limit of a first run becomes a
// random one. What else the timer is armed for takes longer, and is left alone.
void arm_timer_for_real(reprise::Nanoseconds) __asm__(
    "__real__ZN4arch9arm_timerEN7reprise8QuantityINS0_14NanosecondsTagEEE");
void arm_timer_instead(reprise::Nanoseconds) __asm__(
    "__wrap__ZN4arch9arm_timerEN7reprise8QuantityINS0_14NanosecondsTagEEE");
void arm_timer_instead(reprise::Nanoseconds duration) {
  using namespace ground_truth;
  const bool limit = random_limit.active() && duration.value() != 0 &&
                     duration.value() <= settings.kernel.pe_limit;
  arm_timer_for_real(limit ? reprise::Nanoseconds{random_limit.next()} : duration);
}

extern "C" [[noreturn]] void kernel_main(std::uint32_t magic, std::uint32_t info) {
  using namespace ground_truth;
  start_machine(magic, info);
  const auto& [start, size] = machine.boot->blob;
  boot = parse_boot_facts(arch::firmware_memory(start, size), start.value());
  const auto no_registers = [](std::string_view) { return std::optional<std::size_t>{}; };
  if (!parse_settings(boot.command_line, no_registers, settings)) {
    give_up("wrong arguments");
  }
  machine.settings = settings.kernel;
  const auto counter = start_counter(machine, settings.counter);
  if (!counter) give_up("too little memory for the counter's test");
  if (!trace.allocate(machine.frames)) give_up("too little memory for the trace");
  start_programs();
  ProcessTable& processes = machine.processes;
  bool good = processes.size() != 0;
  for (std::size_t i = 0; i + 1 < processes.size(); i += 2) {
    if (processes[i].context().hardened() || !processes[i + 1].context().hardened()) {
      give_up("give pairs of a program, and harden= the second of each");
    }
    good &= compare_runs(processes[i], processes[i + 1], *counter);
  }
  arch::exit_machine(good ? ExitCode::Clean : ExitCode::ProgramFailed);
}
