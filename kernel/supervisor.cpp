#include "kernel/supervisor.hpp"

#include "arch/machine.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/calls/calls.hpp"
#include "kernel/calls/exceptions.hpp"
#include "kernel/dwc/element.hpp"
#include "kernel/process/scheduler.hpp"

namespace reprise {
namespace {

using Kind = dwc::PeEnd::Kind;

// As many of the bytes at an address as can be read.
CodeBytes code_at(Process& process, std::uint64_t rip) {
  CodeBytes code;
  code.count =
      process.space().read_start(UserAddr{rip}, std::as_writable_bytes(std::span{code.bytes}));
  return code;
}

void mismatch_stands(System& system, Process& process) {
  const auto& diagnosis = process.engine().diagnosis();
  process.report.standing = 1;
  process.report.code = {code_at(process, diagnosis.first_rip),
                         code_at(process, diagnosis.second_rip),
                         code_at(process, diagnosis.culprit.value_or(0))};
  system.end(process, status_stopped);
}

void serve(System& system, Process& process, const dwc::PeEnd& end) {
  process.report.last_end = end;
  if (end.kind == Kind::OutOfFrames) return system.end(process, status_killed);
  if (end.kind == Kind::Exception && !serve_exception(process, end)) {
    return system.end(process, status_faulted);
  }
  if (end.kind != Kind::SystemCall) return;  // the program goes on where it stands
  if (const auto status = serve_call(system, process)) system.end(process, *status);
}

void turn(System& system, Process& process) {
  system.frames.reserve = process.id() == init_number ? 0 : frames_for_init;
  process.status = ProcessStatus::Ready;
  const Nanoseconds begin = arch::now();
  const std::uint64_t spent_before = process.own_time();
  const std::uint64_t limit = system.settings.pe_limit;
  const std::optional<dwc::PeEnd> end = run_element(process, Nanoseconds{limit});
  system.longest_pe = larger(system.longest_pe, Nanoseconds{arch::now().value() - begin.value()});
  const bool whole = end && (end->kind == Kind::SystemCall || end->kind == Kind::Exception);
  process.turn.spend(whole ? limit : process.own_time() - spent_before);
  system.injector.settle(end ? FlipFate::DiedOut : FlipFate::Stopped);
  // Of flips in itself and in who sends the log init hears at another process's PE: else its
  // telling of one would bring about more, without end.
  if (!process.sends_log() && system.injector.has_news()) {
    system.ipc.notify(system.processes[0], REPRISE_NOTE_NEWS);
  }
  if (end) return serve(system, process, *end);
  mismatch_stands(system, process);
}

}  // namespace

void supervise(System& system) {
  Scheduler scheduler{system};
  for (;;) turn(system, scheduler.next());
}

}  // namespace reprise
