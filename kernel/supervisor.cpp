#include "kernel/supervisor.hpp"

#include "arch/machine.hpp"
#include "kernel/calls/exceptions.hpp"
#include "kernel/console/line.hpp"
#include "kernel/report/report.hpp"

namespace reprise {

std::optional<Error> Supervisor::run() {
  while (Process* process = scheduler_.next()) turn(*process);
  return refused_;
}

void Supervisor::turn(Process& process) {
  if (process.status == ProcessStatus::Reading) {  // input has come for the call that waits
    static_cast<void>(calls_.serve(process));
    return;
  }
  process.status = ProcessStatus::Ready;
  const std::optional<dwc::PeEnd> end = run_element(process, settings_.pe_limit);
  injector_.settle(process, end ? Injector::Outcome::DiedOut : Injector::Outcome::Stopped);
  if (end) return serve(process, *end);
  mismatch_stands(process);
}

void Supervisor::serve(Process& process, const dwc::PeEnd& end) {
  using Kind = dwc::PeEnd::Kind;
  switch (end.kind) {
    case Kind::SystemCall:
      if (const auto ending = calls_.serve(process)) {
        if (ending->refused) refuse(process, *ending->refused);
        finish(process, ending->status);
      }
      return;
    case Kind::Exception:
      if (const auto status = serve_exception(process, end)) finish(process, *status);
      return;
    case Kind::OutOfFrames: out_of_memory(process); return;
    default: return;  // the program goes on where it stands
  }
}

void Supervisor::refuse(const Process& process, Error error) {
  print_error(error, process.name());
  if (!refused_) refused_ = error;
}

void Supervisor::out_of_memory(Process& process) {
  say(process.name(), ": memory is exhausted and the program is ended; give the machine more");
  print_event("out-of-memory", "process", process.name());
  finish(process, status_killed);
}

void Supervisor::mismatch_stands(Process& process) {
  print_diagnosis(process);
  process.mismatch_standing = true;
  finish(process, status_stopped);
  if (settings_.on_fail == Settings::OnFail::Stop) return;
  print_final_report(table_, injector_, settings_);
  if (settings_.on_fail == Settings::OnFail::Reboot) arch::reboot_machine();
  arch::exit_machine(ExitCode::MismatchStanding);
}

void Supervisor::finish(Process& process, std::uint8_t status) {
  process.end(status);
  print_process_end(process, settings_);
}

}  // namespace reprise
