#include "kernel/supervisor.hpp"

#include "arch/machine.hpp"
#include "arch/run_user.hpp"
#include "kernel/base/extremes.hpp"
#include "kernel/calls/exceptions.hpp"
#include "kernel/console/line.hpp"

namespace reprise {

std::optional<Error> Supervisor::run() {
  arch::start_admitting();
  while (Process* process = scheduler_.next()) turn(*process);
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (table_[i].status == ProcessStatus::Ended) continue;
    table_[i].stopped = true;
    finish(table_[i], 0);
  }
  return refused_;
}

void Supervisor::turn(Process& process) {
  if (process.status == ProcessStatus::Reading) {  // input has come for the call that waits
    static_cast<void>(calls_.serve(process));
    if (process.status == ProcessStatus::Reading) return;
  }
  process.status = ProcessStatus::Ready;
  const Nanoseconds begin = arch::now();
  const std::uint64_t spent_before = process.own_time();
  const std::optional<dwc::PeEnd> end = run_element(process, settings_.pe_limit);
  longest_pe_ = larger(longest_pe_, Nanoseconds{arch::now().value() - begin.value()});
  using Kind = dwc::PeEnd::Kind;
  const bool whole = end && (end->kind == Kind::SystemCall || end->kind == Kind::Exception);
  process.turn.spend(whole ? settings_.pe_limit.value() : process.own_time() - spent_before);
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
  print_final_report(table_, injector_, latency(), settings_);
  if (settings_.on_fail == Settings::OnFail::Reboot) arch::reboot_machine();
  arch::exit_machine(ExitCode::MismatchStanding);
}

void Supervisor::finish(Process& process, std::uint8_t status) {
  process.end(status);
  ipc_.ended(process);
  print_process_end(process, settings_);
}

}  // namespace reprise
