#include "kernel/machine.hpp"

#include "arch/power.hpp"
#include "arch/user_state.hpp"

#include "kernel/log/line.hpp"
#include "kernel/log/log.hpp"

namespace reprise {

void Machine::end(Process& process, std::uint8_t status) {
  process.end(status);
  ipc.ended(process);
  kernel_log.lose_reader(&process);
  const Process& init = processes[0];
  if (&process != &init) return ipc.notify(processes[0], REPRISE_NOTE_NEWS);
  say("init has ended with status ", status, ", and with it the machine");
  kernel_log.lose_reader(nullptr);
  tell("init-ended status=", status, " rip=", Hex{init.registers()[arch::Register::Rip]});
  const ProcessReport& report = init.report;
  if (report.standing != 0) arch::exit_machine(ExitCode::MismatchStanding);
  if (report.refusal == 0) arch::exit_machine(ExitCode::Panic);
  arch::exit_machine(static_cast<ExitCode>(first_boot_error + report.refusal - 1));
}

}  // namespace reprise
