// init, the first process: reads what GRUB was told, sets the machine up, starts the programs,
// tells of each one's end, and says with which code the machine ends. It runs twice like any
// program, and while it can run no other does. Next: settings.hpp, programs.hpp, report.hpp.
#include <array>
#include <optional>

#include "kernel/console/line.hpp"
#include "user/init/ending.hpp"
#include "user/init/error.hpp"
#include "user/init/kernel.hpp"
#include "user/init/output.hpp"
#include "user/init/processor.hpp"
#include "user/init/programs.hpp"
#include "user/init/report.hpp"
#include "user/init/settings.hpp"
#include "user/init/word_names.hpp"

namespace reprise {
namespace {

constinit Settings settings;
constinit KernelSettings kernel_settings;
constinit Programs programs;
constinit std::array<char, 2 * Settings::max_text> command_line_text{};

[[noreturn]] void refuse(const ArgumentError& error) {
  say("wrong in the boot arguments: ", error.reason, "; allowed: ", error.allowed);
  print_error(error.error, error.argument);
  exit_machine(exit_code_of(error.error));
}

std::string_view read_command_line() {
  const std::size_t length = module_string(command_line_module, command_line_text);
  return {command_line_text.data(),
          length < command_line_text.size() ? length : command_line_text.size()};
}

void read_settings(std::string_view command_line) {
  static constinit ExtendedLayout layout{};
  layout = extended_layout();
  const auto parsed = parse_settings(
      command_line, [](std::string_view name) { return word_named(layout, name); }, settings);
  if (!parsed) refuse(parsed.error());
  kernel_settings = settings.for_kernel();
  kernel_settings.inject_rate = 0;  // there is nobody to hit yet
  fill_word_names(kernel_settings.word_names, layout);
  configure(kernel_settings);
}

void introduce(std::string_view command_line) {
  say("Reprise: every processing element runs twice, is compared, then committed");
  describe_processor();
  flush_output();  // before the kernel's own lines about the machine and its counters
  print_counter(choose_counter(static_cast<std::uint64_t>(settings.counter)));
  print_boot(machine_report(), command_line);
}

// When every program could be started: else the name may be that of one that could not.
void check_names() {
  const auto unknown =
      settings.unknown_name([](std::string_view name) {
        return name == "init" || programs.find_called(name) != nullptr;
      });
  if (unknown) refuse({*unknown, "no such program", "names of this boot's programs"});
}

void plan_flips() {
  for (const NamedInjection& named : settings.injections()) {
    Injection injection = named;
    injection.process = init_number;
    if (named.name == "init") static_cast<void>(inject(injection));
    for (const Program& program : programs.all()) {
      injection.process = program.process;
      if (program.called() == named.name) static_cast<void>(inject(injection));
    }
  }
}

ExitCode outcome() {
  bool failed = false, standing = false;
  for (const Program& program : programs.all()) {
    failed |= program.exit_status != 0;
    standing |= program.standing;
  }
  if (standing) return ExitCode::MismatchStanding;
  if (programs.first_error()) return exit_code_of(*programs.first_error());
  return failed ? ExitCode::ProgramFailed : ExitCode::Clean;
}

// Random flips come from when the programs do until the last report counts them.
void set_random_flips(std::uint64_t rate) {
  kernel_settings.inject_rate = rate;
  const Program* const only = programs.find_called(settings.inject_only);
  kernel_settings.inject_only = only != nullptr                  ? only->process
                                : settings.inject_only == "init" ? init_number
                                                                 : 0;
  configure(kernel_settings);
}

[[noreturn]] void end_machine() {
  set_random_flips(0);
  print_final_report(programs, settings);
  const bool reboot = outcome() == ExitCode::MismatchStanding &&
                      settings.on_fail == Settings::OnFail::Reboot;
  if (reboot) reboot_machine();
  exit_machine(outcome());
}

void tell_end(Program& program) {
  const ProcessReport& process = process_report(program.process);
  program.ended = true;
  program.exit_status = exit_status_of(process);
  program.standing = process.standing != 0;
  print_cause(program.called(), process);
  if (process.refusal != 0) {
    programs.fail(static_cast<Error>(process.refusal - 1), program.called());
  }
  if (program.standing) {
    print_diagnosis(program.called(), process, kernel_settings.word_names);
  }
  print_process_end(program, process, settings.report);
  flush_output();
  if (program.standing && settings.on_fail != Settings::OnFail::Stop) end_machine();
}

void stop_programs() {
  for (Program& program : programs.all()) {
    if (program.ended || program.driver) continue;
    program.stopped = true;
    end_process(program.process);
  }
}

void wait_for_programs() {
  std::uint64_t deadline = settings.stop_after.value();
  std::size_t left = 0;
  for (const Program& program : programs.all()) left += program.driver ? 0 : 1;
  while (left > 0) {
    if (Program* const program = programs.find(wait_end(deadline))) {
      left -= program->driver ? 0 : 1;
      tell_end(*program);
    } else {
      stop_programs();
      deadline = ~std::uint64_t{0};
    }
  }
}

}  // namespace
}  // namespace reprise

int main(int, char**) {
  using namespace reprise;
  const std::string_view command_line = read_command_line();
  read_settings(command_line);
  introduce(command_line);
  programs.start(machine_report(), settings);
  if (!programs.first_error()) check_names();
  plan_flips();
  set_random_flips(settings.inject_rate);
  flush_output();
  wait_for_programs();
  end_machine();
}
