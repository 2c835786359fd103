#include "kernel/calls/calls.hpp"

#include <array>

#include "arch/boot_info.hpp"
#include "arch/clock.hpp"
#include "arch/interrupts.hpp"
#include "arch/physical_memory.hpp"
#include "arch/power.hpp"
#include "arch/user_state.hpp"
#include "kernel/calls/counter_probe.hpp"
#include "kernel/log/log.hpp"
#include "kernel/process/loader.hpp"

namespace reprise {
namespace {

using arch::Register;

std::int64_t configure(Call& call) {
  KernelSettings settings{};
  if (!call.get(call.a, settings)) return -REPRISE_BAD_ADDRESS;
  if (!are_valid(settings)) return -REPRISE_BAD_ARGUMENT;
  call.machine.settings = settings;
  kernel_log.quiet = settings.serial_output == SerialOutput::Withheld;
  return 0;
}

// Until this call nothing counts, and the breakpoint leads second runs (landmark).
std::int64_t counter(Call& call) {
  CounterSettings settings;
  if (!call.get(call.a, settings)) return -REPRISE_BAD_ADDRESS;
  const std::int64_t answer = use_counter(settings);
  if (answer != 0) return answer;
  arch::forget_longest_hold();  // the probes are not what interrupts wait for
  call.machine.longest_pe = {};
  return 0;
}

std::int64_t probe(Call& call) {
  static constinit CounterProbe probe{};
  if (!call.get(call.a, probe)) return -REPRISE_BAD_ADDRESS;
  if (const std::int64_t error = call.prepare(call.a, sizeof probe); error != 0) return error;
  const std::int64_t answer = probe_counter(probe);
  call.process.engine().forget_modified();
  return answer != 0 ? answer : call.put(call.a, probe);
}

std::int64_t describe_machine(Call& call) {
  MachineReport report{};
  const arch::BootInfo& boot = *call.machine.boot;
  report.total_memory = boot.total_memory;
  report.free_memory = call.machine.frames.free_frames() << page_shift;
  report.longest_wait = arch::longest_hold().value();
  report.longest_pe = call.machine.longest_pe.value();
  report.flips = call.machine.injector.settled();
  report.timer_hertz = arch::timer_frequency();
  report.modules = boot.modules.size();
  report.boot_address = boot.blob.start.value();
  report.boot_bytes = boot.blob.size;
  return call.put(call.a, report);
}

std::int64_t physical_read(Call& call) {
  if (call.c > most_physical_bytes) return -REPRISE_BAD_ARGUMENT;
  const auto memory = arch::firmware_memory(PhysAddr{call.a}, call.c);
  if (memory.empty()) return -REPRISE_NOT_GRANTED;
  return code_of(call.process.space().write(UserAddr{call.b}, memory));
}

// Nothing at all: those that have not struck are forgotten.
std::int64_t inject(Call& call) {
  if (call.a == 0) return call.machine.injector.forget(), 0;
  Injection injection;
  if (!call.get(call.a, injection)) return -REPRISE_BAD_ADDRESS;
  Process* const process = call.machine.processes.find(injection.process);
  if (injection.target > Injection::Target::SnapshotPage || injection.bit > 63 ||
      injection.moment > Injection::Moment::Offset || injection.word >= words_per_page ||
      (injection.moment == Injection::Moment::Offset) != (injection.offset != 0) ||
      (injection.is_register() && injection.word >= register_words) || injection.run - 1 > 1 ||
      process == nullptr || !process->hardened()) {
    return -REPRISE_BAD_ARGUMENT;
  }
  if (injection.random != 0) injection.element += process->engine().pe_number();
  return call.machine.injector.plan(injection) ? 0 : -REPRISE_NO_MEMORY;
}

std::int64_t start(Call& call) {
  static std::array<char, most_string_bytes> strings;
  ProgramRequest request;
  if (!call.get(call.a, request)) return -REPRISE_BAD_ADDRESS;
  if (request.priority > highest_priority || request.string_bytes > strings.size()) {
    return -REPRISE_BAD_ARGUMENT;
  }
  const auto text = std::span{strings}.first(request.string_bytes);
  if (!call.process.space().read(UserAddr{request.strings}, std::as_writable_bytes(text))) {
    return -REPRISE_BAD_ADDRESS;
  }
  call.machine.frames.reserve = frames_for_init;  // a program that just fits leaves init its own
  return start_process(call.machine, request, text);
}

std::int64_t news(Call& call) {
  if (const auto error = call.prepare(call.a, sizeof(Injection)); error != 0) return error;
  if (const auto flip = call.machine.injector.take_news()) {
    static_cast<void>(call.put(call.a, *flip));
    return news_of_flip;
  }
  for (std::size_t i = 0; i < call.machine.processes.size(); ++i) {
    Process& process = call.machine.processes[i];
    if (process.status != ProcessStatus::Ended || process.told) continue;
    process.told = true;
    return static_cast<std::int64_t>(process.id());
  }
  return 0;
}

std::int64_t status(Call& call) {
  Process* const process = call.machine.processes.find(call.a);
  if (process == nullptr) return -REPRISE_BAD_ARGUMENT;
  ProcessReport& report = process->report;
  report.ended = process->status == ProcessStatus::Ended ? 1 : 0;
  report.rip = process->registers()[Register::Rip];
  report.hardened = process->hardened() ? 1 : 0;
  if (process->hardened()) {
    report.margin = process->engine().margin();
    report.statistics = process->engine().statistics();
    report.diagnosis = process->engine().diagnosis();
  }
  return call.put(call.b, report);
}

std::int64_t end(Call& call) {
  Process* const process = call.machine.processes.find(call.a);
  if (process == nullptr || process == &call.process || process->status == ProcessStatus::Ended) {
    return -REPRISE_BAD_ARGUMENT;
  }
  call.machine.end(*process, static_cast<std::uint8_t>(call.b));
  return 0;
}

std::int64_t shutdown(Call& call) {
  if (call.a > 2) return -REPRISE_BAD_ARGUMENT;
  if (call.a == 2) return kernel_log.all_sent() ? 1 : 0;
  kernel_log.lose_reader(nullptr);
  if (call.a == 1) arch::reset_processor();
  arch::exit_machine(static_cast<ExitCode>(call.b));
}

std::int64_t interrupts(Call& call) {
  InterruptControllers controllers;
  if (!call.get(call.a, controllers)) return -REPRISE_BAD_ADDRESS;
  const auto answer = arch::start_admitting(controllers);
  return answer ? static_cast<std::int64_t>(*answer) : -REPRISE_BAD_ARGUMENT;
}

// Time may go back here: only while there is nobody else to see it.
std::int64_t clock(Call& call) {
  const auto possible = [](std::uint64_t hertz) {
    return hertz >= slowest_clock && hertz <= fastest_clock;
  };
  if (!possible(call.a) || !possible(call.b) || call.c > arch::time_stamp() ||
      call.machine.processes.size() > 1) {
    return -REPRISE_BAD_ARGUMENT;
  }
  arch::set_clock(call.a, call.b, call.c);
  arch::forget_longest_hold();  // what it knows of time is the old one's
  return 0;
}

}  // namespace

constexpr decltype(init_calls) init_calls{
    configure, counter, describe_machine, physical_read, inject, start, news,
    status,    end,     shutdown,         interrupts,    probe,  clock};

}  // namespace reprise
