// Where the kernel begins, once boot/ has brought the processor into long mode: a list, one line a
// step. Read on in supervisor.cpp, which is where it spends its life.
#include <cstdint>
#include <optional>

#include "arch/counter.hpp"
#include "arch/machine.hpp"
#include "arch/user_state.hpp"
#include "kernel/console/line.hpp"
#include "kernel/memory/frame_allocator.hpp"
#include "kernel/parse/settings.hpp"
#include "kernel/process/loader.hpp"
#include "kernel/report/report.hpp"
#include "kernel/supervisor.hpp"

namespace reprise {
namespace {

constinit FrameAllocator frames;
constinit Settings settings;
constinit ProcessTable processes;
constinit std::optional<ConsoleInput> input;
constinit std::optional<Injector> injector;

const arch::BootInfo& start_machine(std::uint32_t magic, std::uint32_t info) {
  arch::start_emergency_serial();  // so that whatever fails below can be said
  arch::load_descriptor_tables();  // so that a fault below is reported, not a reset
  arch::require_features();        // the rest relies on these
  const arch::BootInfo& boot = arch::read_boot_info(magic, info);
  frames.initialize(boot.memory);
  arch::build_kernel_tables(boot, frames);  // from here on no page is writable and executable
  arch::check_write_xor_execute();          // and that is looked up, not believed
  arch::start_screen(boot.framebuffer);     // needs its mapping
  arch::start_extended_state();
  arch::start_interrupts(boot);
  arch::start_clock();  // needs the local APIC's timer
  return boot;
}

[[noreturn]] void refuse(const ArgumentError& error) {
  say("wrong in the boot arguments: ", error.reason, "; allowed: ", error.allowed);
  print_error(error.error, error.argument);
  arch::exit_machine(exit_code_of(error.error));
}

void read_settings(const arch::BootInfo& boot) {
  const auto parsed = parse_settings(boot.command_line, arch::word_named, settings);
  if (!parsed) refuse(parsed.error());
  arch::select_output(!settings.console_screen   ? arch::Output::SerialOnly
                      : !settings.console_serial ? arch::Output::ScreenOnly
                                                 : arch::Output::Both);
}

// When every program could be started: else the name may be that of one that could not.
void check_names() {
  const auto unknown = settings.unknown_name([](std::string_view name) {
    for (std::size_t i = 0; i < processes.size(); ++i)
      if (processes[i].name() == name) return true;
    return false;
  });
  if (unknown) refuse({*unknown, "no such program", "names of this boot's programs"});
}

void introduce() {
  say("Reprise: every processing element runs twice, is compared, then committed");
  arch::describe_machine([](std::string_view text) { say(text); });
}

// The last line before the programs'.
void print_boot(const arch::BootInfo& boot) {
  print_event("boot", "log", 1u, "memory_kib", boot.total_memory >> 10, "free_kib",
              frames.free_frames() << (page_shift - 10), "modules", boot.modules.size(),
              "command_line", boot.command_line);
}

void choose_counter() {
  arch::start_counter(static_cast<arch::CounterChoice>(settings.counter), frames,
                      [](std::string_view name, std::string_view reason) {
                        say("counter ", name, " refused: ", reason);
                        print_event("counter-refused", "name", name, "reason", reason);
                      });
  const arch::CounterFacts& facts = arch::counter();
  if (facts.counts) {
    say("counter: ", facts.name, "; stops up to ", facts.margin, " instructions late (seen ",
        facts.skid, "), counts off by up to ", facts.tolerance, "; subtracts ",
        facts.overcount_interrupt, " per interrupt, ", facts.overcount_fault, " per fault");
  } else {
    say("counter: none; a breakpoint stops second runs");
  }
  print_event("counter", "name", facts.name, "margin", facts.margin, "tolerance", facts.tolerance,
              "skid", facts.skid, "overcount_interrupt", facts.overcount_interrupt,
              "overcount_fault", facts.overcount_fault);
}

ExitCode outcome(std::optional<Error> boot_error) {
  bool failed = false, standing = false;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    failed |= processes[i].exit_status != 0;
    standing |= processes[i].mismatch_standing;
  }
  if (standing) return ExitCode::MismatchStanding;
  if (boot_error) return exit_code_of(*boot_error);
  return failed ? ExitCode::ProgramFailed : ExitCode::Clean;
}

}  // namespace
}  // namespace reprise

extern "C" [[noreturn]] void kernel_main(std::uint32_t magic, std::uint32_t info) {
  using namespace reprise;
  const arch::BootInfo& boot = start_machine(magic, info);
  read_settings(boot);
  introduce();
  choose_counter();
  print_boot(boot);
  input.emplace(settings.input);
  injector.emplace(settings);
  const std::optional<Error> not_started =
      start_programs(boot.modules, frames, *injector, settings, processes);
  if (!not_started) check_names();
  Supervisor supervisor{processes, *input, *injector, settings};
  const std::optional<Error> refused = supervisor.run();
  print_final_report(processes, *injector, supervisor.latency(), settings);
  arch::exit_machine(outcome(not_started ? not_started : refused));
}
