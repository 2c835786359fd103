#include "kernel/timeline.hpp"

#include <string_view>

#include "arch/serial.hpp"
#include "kernel/base/text_line.hpp"

namespace reprise {
namespace {

using dwc::PhaseTicks;

void write(const TextLine& line) { arch::write_second_serial(line.view()); }

std::string_view word_of(dwc::Failure failure) {
  switch (failure) {
    case dwc::Failure::Mismatch: return "mismatch";
    case dwc::Failure::Missed: return "missed";
    case dwc::Failure::MachineCheck: return "machine-check";
  }
  return "unknown";
}

void write_attempt(std::string_view outcome, const PhaseTicks& from, const PhaseTicks& to) {
  write(TextLine{"a ", outcome, " ", to.load - from.load, " ", to.first_run - from.first_run, " ",
                 to.fault - from.fault, " ", to.rewind - from.rewind, " ", to.flush - from.flush,
                 " ", to.second_run - from.second_run, " ", to.convergence - from.convergence, " ",
                 to.compare_commit - from.compare_commit, "\n"});
}

// The failed attempts, then the one that was committed; or what came behind the last failed one.
void write_attempts(const Engine& engine, std::string_view last) {
  PhaseTicks from = engine.ticks_before();
  for (const dwc::AbandonedAttempt& attempt : engine.abandoned().items()) {
    write_attempt(word_of(attempt.failure), from, attempt.ticks);
    from = attempt.ticks;
  }
  write_attempt(last, from, engine.statistics().ticks);
}

}  // namespace

void write_to_timeline(const Process& process, const dwc::PeEnd* end, ElementTime time,
                       const FlipCounts& flips) {
  const Context& context = process.context();
  const bool hardened = context.hardened();
  TextLine line{"p ", process.number(), " ",
                hardened ? context.engine().pe_number() : context.figures.elements};
  line.append(" ", time.begin.value(), " ", time.took.value());
  if (end != nullptr) {
    line.append(" end ", static_cast<unsigned>(end->kind), " ", unsigned{end->vector});
  } else {
    line.append(" verdict ", static_cast<unsigned>(context.engine().diagnosis().verdict), " 0");
  }
  for (const std::uint64_t count : flips) line.append(" ", count);
  if (!hardened) return write(TextLine{line, " 0 0 0 0\n"});
  const dwc::Statistics& all = context.engine().statistics();
  const std::size_t failed = context.engine().abandoned().total();
  const std::size_t attempts = context.engine().abandoned().items().size() + 1;
  write(TextLine{line, " ", all.hits + all.misses, " ", all.write_faults, " ", failed, " ",
                 attempts, "\n"});
  write_attempts(context.engine(), end != nullptr ? "committed" : "given-up");
}

}  // namespace reprise
