#include "kernel/supervisor.hpp"

#include "arch/clock.hpp"
#include "arch/guest_walk.hpp"
#include "arch/interrupts.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/calls/exceptions.hpp"
#include "kernel/calls/serve_call.hpp"
#include "kernel/context/element.hpp"
#include "kernel/guest/stops.hpp"
#include "kernel/log/message.hpp"
#include "kernel/timeline.hpp"

namespace reprise {
namespace {

using Kind = dwc::PeEnd::Kind;

void notify_log_readers(Machine& machine) {
  while (const auto number = machine.log.take_reader_to_tell()) {
    Process* const reader = machine.processes.find(*number);
    if (reader != nullptr) machine.ipc.notify(*reader, REPRISE_NOTE_LOG);
  }
}

// The process whose PE is next. Idles while there is none.
Process& next_process(Machine& machine) {
  for (;;) {
    arch::admit_interrupts();
    const Nanoseconds now = arch::now();
    machine.ipc.notify_all(arch::take_interrupts(), now);
    notify_log_readers(machine);
    const LogLoad load = machine.log.crowded() ? LogLoad::Crowded : LogLoad::Normal;
    const auto choice = machine.cpu.scheduler.choose(machine.processes, now, load);
    if (choice.process != nullptr) return *choice.process;
    arch::wait_for_interrupt(choice.idle);
  }
}

// As many of the bytes at an address as can be read.
CodeBytes code_at(const Context& context, std::uint64_t rip) {
  CodeBytes code;
  const auto page = arch::code_page(context.registers(), context.space().table(), rip);
  if (!page) return code;
  const auto bytes = std::as_writable_bytes(std::span{code.bytes});
  code.count = context.space().read_start(address_of(*page) + rip % page_size, bytes);
  return code;
}

void mismatch_stands(Machine& machine, Process& process) {
  Context& context = process.context();
  const auto& diagnosis = context.engine().diagnosis();
  context.figures.standing = true;
  context.figures.code = {code_at(context, diagnosis.first_rip),
                          code_at(context, diagnosis.second_rip),
                          code_at(context, diagnosis.culprit.value_or(0))};
  machine.end(process, status_stopped);
}

void serve(Machine& machine, Process& process, const dwc::PeEnd& end) {
  if (process.context().guest()) {
    if (!serve_guest(machine.processes, process, end)) machine.end(process, status_killed);
    return;
  }
  switch (end.kind) {
    case Kind::OutOfFrames: machine.end(process, status_killed); return;
    case Kind::Exception:
      if (!serve_exception(process, end)) machine.end(process, status_faulted);
      return;
    case Kind::SystemCall:
      if (const auto status = serve_call(machine, process)) machine.end(process, *status);
      return;
    default: return;  // the program goes on where it stands
  }
}

// What the PE has cost of the process's turn.
std::uint64_t cost_of(const Context& context, const dwc::PeEnd* end, std::uint64_t time_before,
                      std::uint64_t limit) {
  const bool whole = end != nullptr && (end->kind == Kind::SystemCall ||
                                        end->kind == Kind::Exception || end->kind == Kind::Exit);
  return whole ? limit : context.own_time() - time_before;
}

// Init hears of flips at the PE's end of a process that does not send the log: else its telling of
// one flip in such a process would bring about more, without end.
void tell_flips(Machine& machine, const Process& process) {
  if (machine.flips.known == 0 || process.sends_log()) return;
  machine.ipc.notify(machine.init(), REPRISE_NOTE_NEWS);
}

void log_non_maskable(Machine& machine, Context& context) {
  for (; context.figures.non_maskable != 0; --context.figures.non_maskable) {
    log_event(machine.log, "nmi");
  }
}

}  // namespace

void supervise(Machine& machine) {
  for (;;) {
    Process& process = next_process(machine);
    Context& context = process.context();
    machine.frames.set_reserve(process.number() == init_number ? 0 : frames_for_init);
    context.status = ContextStatus::Ready;
    const Nanoseconds begin = arch::now();
    interrupt_when_due(context, begin);
    const std::uint64_t time_before = context.own_time();
    const std::uint64_t limit = turn_of_one_pe(machine.settings);
    const dwc::PeEnd* const end = ElementRunner{context}.run(Nanoseconds{limit});
    const Nanoseconds took{arch::now().value() - begin.value()};
    machine.longest_pe = larger(machine.longest_pe, took);
    log_non_maskable(machine, context);
    context.turn.spend(cost_of(context, end, time_before, limit));
    context.injector.conclude(end != nullptr ? FlipFate::DiedOut : FlipFate::Stopped);
    tell_flips(machine, process);
    if (machine.settings.timeline == Timeline::Com2) {
      write_to_timeline(process, end, {begin, took}, machine.flips.settled);
    }
    if (end != nullptr) {
      serve(machine, process, *end);
    } else {
      mismatch_stands(machine, process);
    }
    machine.cpu.scheduler.end_element(context, machine.settings);
  }
}

}  // namespace reprise
