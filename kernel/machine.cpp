#include "kernel/machine.hpp"

#include "arch/power.hpp"
#include "arch/user_state.hpp"
#include "kernel/guest/stops.hpp"
#include "kernel/log/message.hpp"
#include "kernel/process/loader.hpp"

namespace reprise {

Result<Process*, reprise_error> Machine::start(const ProgramRequest& request,
                                               std::span<const char> strings) {
  const ContextResources resources{.frames = frames, .flips = flips, .digests = cpu.digests};
  const Loader loader{*boot, frames, zero};
  if (request.monitor != 0) return loader.start_guest(processes, request, settings, resources);
  return loader.start(processes, request, strings, settings, resources);
}

void Machine::end(Process& process, std::uint8_t status) {
  end_guests_of(process.number());
  process.end(status);
  guest_ended(processes, process);
  ipc.ended(process);
  log.lose_reader(process.number());
  if (process.number() == init_number) end_with_init(process);
  ipc.notify(init(), REPRISE_NOTE_NEWS);
}

void Machine::end_guests_of(std::uint64_t monitor) {
  for (std::size_t i = 0; i < processes.size(); ++i) {
    Process& process = processes[i];
    const auto& guest = process.context().guest();
    if (guest && guest->monitor == monitor && !process.has_ended()) end(process, 0);
  }
}

void Machine::end_with_init(const Process& init) {
  log_message(log, "init has ended with status ", init.ending.status, ", and with it the machine");
  log.lose_all_readers();
  log_event(log, "init-ended status=", init.ending.status,
            " rip=", Hex{init.context().registers()[arch::Register::Rip]});
  if (init.context().figures.standing) arch::exit_machine(ExitCode::MismatchStanding);
  if (init.ending.refusal == 0) arch::exit_machine(ExitCode::Panic);
  arch::exit_machine(static_cast<ExitCode>(first_boot_error + init.ending.refusal - 1));
}

}  // namespace reprise
