// Programs: how init starts them, hears of their ends, asks how they did, and lets them go.
#include "arch/user_state.hpp"
#include "kernel/calls/init_calls.hpp"

namespace reprise::init_calls {
namespace {

ProcessReport report_on(const Process& process) {
  const Context& context = process.context();
  const ContextFigures& figures = context.figures;
  ProcessReport report{};
  report.ended = process.has_ended() ? 1 : 0;
  report.exit_status = process.ending.status;
  report.last_end = figures.last_end;
  report.rip = context.registers()[arch::Register::Rip];
  report.refusal = process.ending.refusal;
  report.refused = figures.refused;
  report.standing = figures.standing ? 1 : 0;
  report.elements = figures.elements;
  report.user_time = figures.user_time;
  if (context.guest()) report.exits = context.guest()->exits;
  report.hardened = context.hardened() ? 1 : 0;
  if (!context.hardened()) return report;
  report.margin = context.engine().margin();
  report.code = figures.code;
  report.statistics = context.engine().statistics();
  report.diagnosis = context.engine().diagnosis();
  return report;
}

std::optional<Injection> take_known_flip(ProcessTable& processes) {
  for (std::size_t i = 0; i < processes.size(); ++i) {
    if (const auto flip = processes[i].context().injector.take_known()) return flip;
  }
  return std::nullopt;
}

}  // namespace

Answer start(Call& call) {
  Machine& machine = call.machine();
  ProgramRequest request;
  if (const Outcome read = call.get(call.first(), request); !read) return answer_of(read);
  if (request.priority > highest_priority || request.string_bytes > most_string_bytes) {
    return Failure{REPRISE_BAD_ARGUMENT};
  }
  const auto strings = std::span{machine.cpu.program_strings}.first(request.string_bytes);
  const Outcome read =
      call.space().read(UserAddr{request.strings}, std::as_writable_bytes(strings));
  if (!read) return answer_of(read);
  machine.frames.set_reserve(frames_for_init);  // a program that just fits leaves init its own
  const auto process = machine.start(request, strings);
  if (!process) return Failure{process.error()};
  return static_cast<std::int64_t>(process.value()->number());
}

// Flips come first: so a process that is reported as ended has none left.
Answer news(Call& call) {
  ProcessTable& processes = call.machine().processes;
  if (const Outcome ready = call.prepare(call.first(), sizeof(Injection)); !ready) {
    return answer_of(ready);
  }
  if (const auto flip = take_known_flip(processes)) {
    const Outcome written = call.put(call.first(), *flip);
    REPRISE_ASSERT(written);  // the place was prepared
    return news_of_flip;
  }
  for (std::size_t i = 0; i < processes.size(); ++i) {
    Process& process = processes[i];
    if (!process.has_ended() || process.ending.reported) continue;
    process.ending.reported = true;
    return static_cast<std::int64_t>(process.number());
  }
  return 0;
}

Answer status(Call& call) {
  const Process* const process = call.machine().processes.find(call.first());
  if (process == nullptr) return Failure{REPRISE_BAD_ARGUMENT};
  return answer_of(call.put(call.second(), report_on(*process)));
}

Answer end(Call& call) {
  Process* const process = call.machine().processes.find(call.first());
  if (process == nullptr || process == &call.process() || process->has_ended()) {
    return Failure{REPRISE_BAD_ARGUMENT};
  }
  call.machine().end(*process, static_cast<std::uint8_t>(call.second()));
  return 0;
}

// Init itself has not ended: it makes the call.
Answer release(Call& call) {
  Process* const process = call.machine().processes.find(call.first());
  if (process == nullptr || !process->ending.reported) return Failure{REPRISE_BAD_ARGUMENT};
  call.machine().processes.remove(*process);
  return 0;
}

}  // namespace reprise::init_calls
