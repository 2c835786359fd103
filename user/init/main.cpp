// init, the first process. It reads the boot arguments, sets the machine up, starts the programs,
// reports each program's end, and chooses the machine's exit code. It runs twice like any program.
// While it can run no other program does. Next: arguments.hpp, programs.hpp, report.hpp.
#include <array>
#include <optional>

#include "kernel/base/assert.hpp"
#include "user/drivers/host_channel.hpp"
#include "user/init/acpi.hpp"
#include "user/init/arguments.hpp"
#include "user/init/boot_info.hpp"
#include "user/init/clock_rates.hpp"
#include "user/init/counter_choice.hpp"
#include "user/init/ending.hpp"
#include "user/init/error.hpp"
#include "user/init/event_line.hpp"
#include "user/init/flips.hpp"
#include "user/init/kernel.hpp"
#include "user/init/output.hpp"
#include "user/init/processor.hpp"
#include "user/init/programs.hpp"
#include "user/init/report.hpp"
#include "user/init/reset.hpp"
#include "user/init/settings.hpp"
#include "user/init/sheet.hpp"
#include "user/init/word_names.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/ipc.hpp"

namespace reprise {
namespace {

constinit Settings settings;
constinit WordNames word_names{};
constinit RandomFlips random_flips;
constinit AcpiFacts acpi;
constinit std::uint64_t interrupt_inputs = 0;  // and local_x2apic
constinit FoundDevices devices;
constinit Programs programs;
constinit Sheet sheet;
constinit MachineFacts machine_facts;
constinit BootFacts boot;
constinit std::array<std::byte, most_boot_bytes> boot_bytes{};  // what `boot` views

[[noreturn]] void refuse(const ArgumentError& error) {
  say("wrong in the boot arguments: ", error.reason, "; allowed: ", error.allowed);
  print_error(error.error, error.argument);
  exit_machine(exit_code_of(error.error));
}

// The kernel has read the same bytes before, and found the same modules.
void read_boot_facts() {
  const MachineReport& machine = machine_report();
  REPRISE_ASSERT(machine.boot_bytes <= boot_bytes.size());
  const auto blob = std::span{boot_bytes}.first(machine.boot_bytes);
  REPRISE_ASSERT(read_physical(machine.boot_address, blob));
  boot = parse_boot_facts(blob, machine.boot_address);
  REPRISE_ASSERT(boot.modules().size() == machine.modules);
}

void read_settings() {
  static constinit ExtendedLayout layout{};
  layout = extended_layout();
  const auto parsed = parse_settings(
      boot.command_line, [](std::string_view name) { return word_named(layout, name); }, settings);
  if (!parsed) refuse(parsed.error());
  fill_word_names(word_names, layout);
  KernelSettings first = settings.kernel;
  first.timeline = Timeline::Off;  // start_timeline()
  configure(first);
}

void plan_flip(Injection injection, std::string_view name, std::uint64_t process) {
  injection.process = process;
  if (!inject(injection)) say(name, ": no flip can hit it: it runs once, not twice (harden=)");
}

// Comes first, so that flips can hit what follows. A PE that is over by now cannot be hit.
void plan_flips_of_init() {
  for (const NamedInjection& named : settings.injections())
    if (named.name == "init") plan_flip(named, named.name, init_number);
}

void find_devices() {
  acpi = read_acpi(boot.acpi_root, read_physical);
  interrupt_inputs = start_interrupts(acpi.interrupts);
}

// Memory for the probed programs. Init writes to it first, so that they can.
alignas(REPRISE_PAGE_SIZE) constinit volatile std::uint8_t probe_data[REPRISE_PAGE_SIZE]{};

void probe_with_data(CounterProbe& probe) {
  probe_data[0] = 0;
  probe_counter(probe);
}

CounterFacts start_counter() {
  const CounterProbes probes{probe_with_data, reinterpret_cast<std::uint64_t>(counter_programs),
                             reinterpret_cast<std::uint64_t>(probe_data)};
  const CounterFacts facts =
      choose_counter(settings.counter, user::cpuid_leaf, probes, print_refused_counter);
  use_counter(facts.settings);
  return facts;
}

void introduce() {
  say("Reprise: every processing element runs twice, is compared, then committed");
  describe_processor();
  flush_output();  // so that there is a line, should a clock of this machine not move
  machine_facts.clocks = set_clock_rates({acpi.timer_port, acpi.timer_has_32_bits});
  say("interrupts: ", (interrupt_inputs & local_x2apic) != 0 ? "x2APIC" : "xAPIC",
      ", I/O APIC inputs ", interrupt_inputs & ~local_x2apic, ", 8259 masked; ACPI tables ",
      acpi.tables);
  machine_facts.counter = start_counter();
  print_counter(machine_facts.counter);
  print_boot(machine_report(), boot.command_line);
}

struct PciPorts {
  static std::uint32_t read(std::uint16_t port) { return user::in32(port); }
  static void write(std::uint16_t port, std::uint32_t value) { user::out32(port, value); }
};

// QEMU's "ivshmem-plain". Other machines have none.
std::optional<MemoryWindow> find_channel() {
  if (settings.streams != Settings::Streams::Host) return std::nullopt;
  constexpr std::uint32_t device = 0x1110'1af4;
  constexpr unsigned shared_memory = 2;  // its base address register
  const auto found = Pci<PciPorts>::find(device, shared_memory);
  if (found && found->bytes >= drivers::channel_bytes) return found;
  say("streams=host: this machine shares no memory with a host; the streams are the console");
  return std::nullopt;
}

// Time may go back before the clock's rate is known: so the timeline begins behind that.
void start_timeline() {
  if (settings.kernel.timeline != Timeline::Off) configure(settings.kernel);
}

bool is_program(std::string_view name) {
  return programs.was_meant(name, boot) || (settings.grants_guests() && is_guest_name(name));
}

void check_names() {
  const auto unknown = settings.unknown_name(is_program);
  if (unknown) refuse({*unknown, "no such program", TextLine{"names of this boot's programs"}});
}

void plan_flips(std::span<Program> started) {
  for (const NamedInjection& named : settings.injections())
    for (const Program& program : started)
      if (program.called() == named.name) plan_flip(named, named.name, program.process);
}

ExitCode outcome() {
  bool failed = false, standing = false;
  for (const Program& program : programs.all()) {
    failed |= program.failed();
    standing |= program.standing;
  }
  if (standing) return ExitCode::MismatchStanding;
  if (programs.first_error()) return exit_code_of(*programs.first_error());
  return failed ? ExitCode::ProgramFailed : ExitCode::Clean;
}

std::string_view name_of(std::uint64_t process) {
  const Program* const program = programs.find(process);
  return program != nullptr ? program->called() : "init";
}

// 0: no such process, or it has ended. A guest gets no messages.
std::uint64_t number_of(std::string_view name) {
  if (name == "init") return init_number;
  for (const Program& program : programs.all()) {
    const bool hears = !program.ended && !program.guest;
    if (hears && program.called() == name) return program.process;
  }
  return 0;
}

bool random_flips_hit(std::string_view name) {
  return settings.inject_rate != 0 &&
         (settings.inject_only.empty() || settings.inject_only == name);
}

// Random flips strike from the programs' start until the last report counts them.
void start_random_flips() {
  if (settings.inject_rate == 0) return;
  random_flips.start(settings.inject_seed, settings.inject_rate);
  if (random_flips_hit("init")) random_flips.plan({.process = init_number});
}

FlipVictim victim_of(const Program& program) {
  return {.process = program.process, .ahead = program.flips_ahead(), .guest = program.guest};
}

void plan_random_flips(std::span<Program> started) {
  for (const Program& program : started) {
    if (!random_flips_hit(program.called())) continue;
    bool planned = true;
    for (std::uint64_t i = 0; i < program.flips_ahead(); ++i)
      planned &= random_flips.plan(victim_of(program));
    if (!planned) {
      say(program.called(),
          ": not all random flips can hit it: it runs once, not twice (harden=), ", "or there are ",
          most_injections, " already");
    }
  }
}

// Prints no line about a random flip in a driver that sends the log: the line would cause more
// flips.
void report_flip(const Injection& flip) {
  const Program* const program = programs.find(flip.process);
  const bool sends_log = program != nullptr && program->sends_log;
  if (flip.random == 0 || (!sends_log && flip.fate != FlipFate::NoTarget)) {
    print_flip(name_of(flip.process), flip, word_names);
    flush_output();
  }
}

// Plans a program's next random flip. Init's own next flip is planned only when all news are
// reported: at a high rate the report of one flip would cause the next.
void plan_next(const Injection& flip) {
  const Program* const program = programs.find(flip.process);
  if (program != nullptr) random_flips.plan(victim_of(*program));
}

void report_end(Program& program) {
  const ProcessReport& process = process_report(program.process);
  program.ended = true;
  program.exit_status = exit_status_of(process);
  program.standing = process.standing != 0;
  print_cause(program.called(), process);
  if (process.refusal != 0) {
    programs.fail(refused_by(process.refusal), program.called());
  }
  if (program.standing) {
    print_diagnosis(program.called(), process, word_names);
  }
  print_process_end(program, process, settings.report);
  if (settings.report == Settings::Report::Sheet) sheet.add(program, process);
  program.totals = totals_of(process);
  release_process(program.process);
  flush_output();
}

void stop_programs() {
  for (Program& program : programs.all()) {
    if (program.ended || program.driver) continue;
    program.stopped = end_process(program.process);
  }
}

void report_news() {
  bool own_flip = false;
  while (const std::optional<News> news = take_news()) {
    if (news->flip) {
      report_flip(*news->flip);
      own_flip |= news->flip->random != 0 && news->flip->process == init_number;
      if (news->flip->random != 0) plan_next(*news->flip);
    } else if (Program* const program = programs.find(news->ended)) {
      report_end(*program);
    }
  }
  if (own_flip) random_flips.plan({.process = init_number});
}

bool must_end() {
  return settings.on_fail != Settings::OnFail::Stop && outcome() == ExitCode::MismatchStanding;
}

StartFacts start_facts() { return {.boot = boot, .devices = devices, .settings = settings}; }

// The first stage's programs, ready to run once init waits.
void start_programs() {
  devices = {acpi.century_register, find_channel()};
  const auto started = programs.start_stage(start_facts());
  check_names();
  if (started) plan_flips(*started);
  start_random_flips();
  if (started) plan_random_flips(*started);
  flush_output();
}

// False: there is no further stage.
bool start_next_stage() {
  const auto started = programs.start_stage(start_facts());
  if (!started) return false;
  plan_flips(*started);
  plan_random_flips(*started);
  flush_output();
  return true;
}

// The machine waits for the end of these.
std::size_t running() {
  std::size_t count = 0;
  for (const Program& program : programs.all()) {
    const bool awaited = !program.driver && !program.guest;
    count += awaited && !program.ended ? 1 : 0;
  }
  return count;
}

// REPRISE_NEW_GUEST: the guest's number, or 0. Its flips are planned before it first runs.
std::uint64_t make_guest(std::uint64_t monitor) {
  const Program* const program = programs.find(monitor);
  if (program == nullptr) return 0;
  const std::span<Program> started = programs.start_guest(*program, settings);
  plan_flips(started);
  plan_random_flips(started);
  flush_output();
  return started.empty() ? 0 : started[0].process;
}

std::uint64_t answer_to(std::uint64_t sender, const user::Received& received,
                        std::string_view text) {
  switch (received.words[0]) {
    case REPRISE_FIND: return number_of(text);
    case REPRISE_NEW_GUEST: return make_guest(sender);
    default: return 0;
  }
}

// Meanwhile init answers what processes ask of it.
void wait_for_programs() {
  bool stopping = false;
  user::alarm(settings.stop_after.value());
  std::array<char, REPRISE_NAME_BYTES> name;
  user::Received received{};
  user::Words answer{};
  while (!must_end()) {
    if (running() == 0) {
      if (stopping || !start_next_stage()) return;
      continue;
    }
    const auto asker = static_cast<std::uint64_t>(received.sender > 0 ? received.sender : 0);
    received = user::receive(asker, answer, name);
    if (received.sender == 0) {
      if ((received.words[0] & REPRISE_NOTE_ALARM) != 0) {
        stopping = true;
        stop_programs();
      }
      if ((received.words[0] & REPRISE_NOTE_NEWS) != 0) report_news();
    } else if (received.sender > 0) {
      const auto sender = static_cast<std::uint64_t>(received.sender);
      answer = {answer_to(sender, received, {name.data(), received.bytes})};
    }
  }
}

// Stops all programs first: none runs on behind a verdict that ends the machine, and the last
// report counts every flip.
[[noreturn]] void end_machine() {
  random_flips.stop();
  forget_injections();
  stop_programs();
  report_news();
  if (settings.report == Settings::Report::Sheet) sheet.print(machine_facts, machine_report());
  print_final_report(programs, settings);
  if (must_end() && settings.on_fail == Settings::OnFail::Reboot) reboot_machine(acpi.reset);
  exit_machine(outcome());
}

}  // namespace
}  // namespace reprise

int main(int, char**) {
  using namespace reprise;
  read_boot_facts();
  read_settings();
  plan_flips_of_init();
  find_devices();
  introduce();
  start_timeline();
  start_programs();
  wait_for_programs();
  end_machine();
}
