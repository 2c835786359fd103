// The machine as a whole: what it is, what lies in its memory, and its end.
#include "arch/boot_info.hpp"
#include "arch/clock.hpp"
#include "arch/interrupts.hpp"
#include "arch/physical_memory.hpp"
#include "arch/power.hpp"
#include "kernel/calls/init_calls.hpp"

namespace reprise::init_calls {
namespace {

enum class Shutdown : std::uint64_t { Exit, Reset, AllSent };  // REPRISE_SHUTDOWN

// Whether the drivers have sent all text and wait for more.
bool all_is_sent(Machine& machine) {
  if (!machine.log.all_sent()) return false;
  for (std::size_t i = 0; i < machine.processes.size(); ++i) {
    const Process& process = machine.processes[i];
    const bool waits = process.context().status == ContextStatus::Receiving;
    if (machine.log.reads(process.number()) && !waits) return false;
  }
  return true;
}

}  // namespace

Answer describe_machine(Call& call) {
  const Machine& machine = call.machine();
  const arch::BootInfo& boot = *machine.boot;
  MachineReport report{};
  report.total_memory = boot.total_memory;
  report.free_memory = machine.frames.free_frames() << page_shift;
  report.longest_wait = arch::longest_hold().value();
  report.longest_pe = machine.longest_pe.value();
  report.flips = machine.flips.settled;
  report.timer_hertz = arch::timer_frequency();
  report.modules = boot.modules.size();
  report.boot_address = boot.blob.start.value();
  report.boot_bytes = boot.blob.size;
  return answer_of(call.put(call.first(), report));
}

Answer physical_read(Call& call) {
  const std::uint64_t from = call.first(), to = call.second(), bytes = call.third();
  if (bytes > most_physical_bytes) return Failure{REPRISE_BAD_ARGUMENT};
  const auto memory = arch::firmware_memory(PhysAddr{from}, bytes);
  if (memory.empty()) return Failure{REPRISE_NOT_GRANTED};
  return answer_of(call.gate().write_bytes(UserAddr{to}, memory));
}

Answer shutdown(Call& call) {
  const std::uint64_t code = call.second();
  Machine& machine = call.machine();
  switch (static_cast<Shutdown>(call.first())) {
    case Shutdown::AllSent: return all_is_sent(machine) ? 1 : 0;
    case Shutdown::Reset: machine.log.lose_all_readers(); arch::reset_processor();
    case Shutdown::Exit:
      machine.log.lose_all_readers();
      arch::exit_machine(static_cast<ExitCode>(code));
  }
  return Failure{REPRISE_BAD_ARGUMENT};
}

}  // namespace reprise::init_calls
