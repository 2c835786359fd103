#include "kernel/supervisor.hpp"

#include "arch/clock.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/calls/calls.hpp"
#include "kernel/calls/exceptions.hpp"
#include "kernel/context/element.hpp"
#include "kernel/schedule/scheduler.hpp"

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

void mismatch_stands(Machine& machine, Process& process) {
  const auto& diagnosis = process.engine().diagnosis();
  process.report.standing = 1;
  process.report.code = {code_at(process, diagnosis.first_rip),
                         code_at(process, diagnosis.second_rip),
                         code_at(process, diagnosis.culprit.value_or(0))};
  machine.end(process, status_stopped);
}

void serve(Machine& machine, Process& process, const dwc::PeEnd& end) {
  process.report.last_end = end;
  if (end.kind == Kind::OutOfFrames) return machine.end(process, status_killed);
  if (end.kind == Kind::Exception && !serve_exception(process, end)) {
    return machine.end(process, status_faulted);
  }
  if (end.kind != Kind::SystemCall) return;  // the program goes on where it stands
  if (const auto status = serve_call(machine, process)) machine.end(process, *status);
}

void turn(Machine& machine, Process& process) {
  machine.frames.reserve = process.id() == init_number ? 0 : frames_for_init;
  process.status = ProcessStatus::Ready;
  const Nanoseconds begin = arch::now();
  const std::uint64_t spent_before = process.own_time();
  const std::uint64_t limit = machine.settings.pe_limit;
  const std::optional<dwc::PeEnd> end = run_element(process, Nanoseconds{limit});
  machine.longest_pe = larger(machine.longest_pe, Nanoseconds{arch::now().value() - begin.value()});
  const bool whole = end && (end->kind == Kind::SystemCall || end->kind == Kind::Exception);
  process.turn.spend(whole ? limit : process.own_time() - spent_before);
  machine.injector.settle(end ? FlipFate::DiedOut : FlipFate::Stopped);
  // Of flips in itself and in who sends the log init hears at another process's PE: else its
  // telling of one would bring about more, without end.
  if (!process.sends_log() && machine.injector.has_news()) {
    machine.ipc.notify(machine.processes[0], REPRISE_NOTE_NEWS);
  }
  if (end) return serve(machine, process, *end);
  mismatch_stands(machine, process);
}

}  // namespace

void supervise(Machine& machine) {
  Scheduler scheduler{machine};
  for (;;) turn(machine, scheduler.next());
}

}  // namespace reprise
