#include "kernel/supervisor.hpp"

#include "arch/machine.hpp"
#include "arch/run_user.hpp"
#include "kernel/base/extremes.hpp"
#include "kernel/calls/exceptions.hpp"
#include "kernel/calls/init_calls.hpp"
#include "kernel/console/line.hpp"
#include "kernel/console/log.hpp"

namespace reprise {
namespace {

constexpr std::uint64_t frames_for_init = 64;  // so that it can tell how memory ran out

// As many of the bytes at an address as can be read.
CodeBytes code_at(Process& process, std::uint64_t rip) {
  CodeBytes code;
  code.count = process.space().read_start(UserAddr{rip},
                                          std::as_writable_bytes(std::span{code.bytes}));
  return code;
}

}  // namespace

void Supervisor::run() {
  arch::start_admitting();
  for (;;) turn(scheduler_.next());
}

void Supervisor::turn(Process& process) {
  system_.frames.reserve = frames_for_init;
  if (process.stands_at_call()) {  // what it waits for is here
    serve_call(process);
    if (process.stands_at_call()) return;
  }
  process.status = ProcessStatus::Ready;
  if (process.id() == init_number) system_.frames.reserve = 0;
  const Nanoseconds begin = arch::now();
  const std::uint64_t spent_before = process.own_time();
  const std::uint64_t limit = system_.settings.pe_limit;
  const std::optional<dwc::PeEnd> end = run_element(process, Nanoseconds{limit});
  system_.longest_pe =
      larger(system_.longest_pe, Nanoseconds{arch::now().value() - begin.value()});
  using Kind = dwc::PeEnd::Kind;
  const bool whole = end && (end->kind == Kind::SystemCall || end->kind == Kind::Exception);
  process.turn.spend(whole ? limit : process.own_time() - spent_before);
  system_.injector.settle(end ? FlipFate::DiedOut : FlipFate::Stopped);
  // Of flips in itself and in who sends the log init hears when it runs for another reason: else its
  // telling of one would bring about more, without end.
  if (!process.sends_log() && system_.injector.has_news()) system_.processes[0].wake_at = {};
  if (end) return serve(process, *end);
  mismatch_stands(process);
}

void Supervisor::serve(Process& process, const dwc::PeEnd& end) {
  using Kind = dwc::PeEnd::Kind;
  process.last_end = end;
  switch (end.kind) {
    case Kind::SystemCall: return serve_call(process);
    case Kind::Exception:
      if (!serve_exception(process, end)) finish(process, status_faulted);
      return;
    case Kind::OutOfFrames: return finish(process, status_killed);
    default: return;  // the program goes on where it stands
  }
}

void Supervisor::serve_call(Process& process) {
  if (process.id() == init_number && serve_init(system_, process)) return;
  if (const auto status = calls_.serve(process)) finish(process, *status);
}

void Supervisor::mismatch_stands(Process& process) {
  const auto& diagnosis = process.engine().diagnosis();
  process.mismatch_standing = true;
  process.code = {code_at(process, diagnosis.first_rip), code_at(process, diagnosis.second_rip),
                  code_at(process, diagnosis.culprit.value_or(0))};
  finish(process, status_stopped);
}

void Supervisor::finish(Process& process, std::uint8_t status) {
  process.end(status);
  system_.ipc.ended(process);
  kernel_log.lose_reader(&process);
  Process& init = system_.processes[0];
  init.wake_at = {};
  if (&process != &init) return;
  say("init has ended with status ", status, ", and with it the machine");
  kernel_log.lose_reader(nullptr);
  tell("init-ended status=", status, " rip=", Hex{init.registers()[arch::Register::Rip]});
  if (init.mismatch_standing) arch::exit_machine(ExitCode::MismatchStanding);
  if (init.refusal == 0) arch::exit_machine(ExitCode::Panic);
  arch::exit_machine(static_cast<ExitCode>(first_boot_error + init.refusal - 1));
}

}  // namespace reprise
