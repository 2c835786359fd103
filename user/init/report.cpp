#include "user/init/report.hpp"

#include <array>

#include "kernel/base/arithmetic.hpp"
#include "user/init/event_line.hpp"
#include "user/init/kernel.hpp"
#include "user/init/words.hpp"
#include "user/lib/calls.hpp"

namespace reprise {
namespace {

using dwc::PeEnd;
using dwc::Statistics;

// In the order of the event's keys: a new one comes last (docs/log-format.md).
using EndWord = ChoiceWord<PeEnd::Kind>;
constexpr std::array<EndWord, Statistics::end_kinds> end_words{
    EndWord{.word = "system-call", .value = PeEnd::Kind::SystemCall},
    EndWord{.word = "exception", .value = PeEnd::Kind::Exception},
    EndWord{.word = "page-budget", .value = PeEnd::Kind::PageBudget},
    EndWord{.word = "out-of-frames", .value = PeEnd::Kind::OutOfFrames},
    EndWord{.word = "time-limit", .value = PeEnd::Kind::TimeLimit},
    EndWord{.word = "watchdog", .value = PeEnd::Kind::Watchdog},
    EndWord{.word = "unexpected-write", .value = PeEnd::Kind::UnexpectedWrite},
    EndWord{.word = "control-bits", .value = PeEnd::Kind::ControlBits},
    EndWord{.word = "exit", .value = PeEnd::Kind::Exit},
};
// The counts of Statistics::modified_pages, which are in this order.
constexpr std::array<std::string_view, Statistics::page_buckets> bucket_names{
    "p0", "p1", "p2", "p3-4", "p5-8", "p9-16", "p17-32", "p33-64", "p65"};

// The counts of GuestExits, which are in this order.
constexpr std::array<std::string_view, guest_exit_kinds> exit_names{
    "time-stamp", "io", "cpuid", "msr", "halt", "register", "window", "other"};

bool has_reports(Settings::Report detail) {
  return detail == Settings::Report::Full || detail == Settings::Report::Short;
}

std::uint64_t total_of(const dwc::PhaseTicks& t) {
  return t.load + t.first_run + t.fault + t.rewind + t.flush + t.second_run + t.convergence +
         t.compare_commit;
}

// "2.13", or "-" when there is nothing to divide by.
TextLine ratio(std::uint64_t numerator, std::uint64_t denominator) {
  if (denominator == 0) return TextLine{"-"};
  const std::uint64_t cents = (numerator % denominator) * 100 / denominator;
  return TextLine{numerator / denominator, cents < 10 ? ".0" : ".", cents};
}

void print_ends(std::string_view process, const Statistics& s) {
  EventLine line{"ends", "process", process};
  for (const EndWord& end : end_words) {
    line.add(end.word, s.by_end[static_cast<std::size_t>(end.value)]);
  }
  line.print();
}

void print_modified_pages(std::string_view process, const Statistics& s) {
  EventLine line{"modified-pages", "process", process};
  for (std::size_t i = 0; i < bucket_names.size(); ++i) {
    line.add(bucket_names[i], s.modified_pages[i]);
  }
  line.print();
}

void print_exits(std::string_view process, const GuestExits& exits) {
  EventLine line{"guest-exits", "process", process};
  for (std::size_t i = 0; i < exit_names.size(); ++i) line.add(exit_names[i], exits[i]);
  line.print();
}

void print_verdicts(std::string_view name, const Statistics& s) {
  print_event("verdicts", "process", name, "pes", s.committed, "first_runs", s.first_runs,
              "second_runs", s.second_runs, "mismatches", s.mismatches.total, "by_end",
              s.mismatches.end, "by_registers", s.mismatches.registers, "by_pages",
              s.mismatches.pages, "restarts", s.restarts, "snapshot_failures", s.snapshot_failures,
              "watchdog", s.watchdog_expiries, "machine_checks", s.machine_checks, "by_exception",
              s.mismatches.exception);
}

void print_details(std::string_view name, const Statistics& s, std::uint64_t margin) {
  const dwc::PhaseTicks& t = s.ticks;
  print_ends(name, s);
  print_modified_pages(name, s);
  print_event("convergence", "process", name, "limited",
              s.by_end[static_cast<std::size_t>(PeEnd::Kind::TimeLimit)], "converged", s.converged,
              "steps", s.steps, "most_steps", s.most_steps, "candidates", s.candidates, "failed",
              s.failed_convergences, "unresolved", s.unresolved, "margin", margin);
  print_event("page-costs", "process", name, "copies", s.copies, "fault_copies", s.copies_at_fault,
              "compares", s.compares, "write_faults", s.write_faults, "remaps", s.remaps,
              "evictions", s.evictions, "flushed_pages", s.flushed_pages);
  print_event("prediction", "process", name, "hits", s.hits, "misses", s.misses, "woken", s.woken);
  print_event("times", "process", name, "load_ns", t.load, "first_run_ns", t.first_run, "fault_ns",
              t.fault, "rewind_ns", t.rewind, "flush_ns", t.flush, "second_run_ns", t.second_run,
              "convergence_ns", t.convergence, "compare_commit_ns", t.compare_commit,
              "longest_pe_ns", s.longest_pe_ticks, "overhead_percent",
              t.second_run == 0 ? 0 : 100 * total_of(t) / t.second_run);
}

}  // namespace

void print_error(Error error, std::string_view subject) {
  const ErrorText& text = text_of(error);
  constexpr std::size_t most = 200;  // of a module's string: the advice has to fit
  say(subject.substr(0, most), subject.size() > most ? "..." : "", ": ", text.advice);
  print_event("error", "code", text.word, "subject", subject);
}

std::string_view name_of(PeEnd::Kind kind) { return word_of(kind, end_words); }

void print_refused_counter(std::string_view name, std::string_view reason) {
  say("counter ", name, " refused: ", reason);
  print_event("counter-refused", "name", name, "reason", reason);
}

void print_counter(const CounterFacts& counter) {
  const CounterSettings& settings = counter.settings;
  const auto added = [](std::int64_t correction) {
    return static_cast<std::uint64_t>(larger<std::int64_t>(correction, 0));
  };
  const std::uint64_t interrupt = added(settings.corrections.interrupt);
  const std::uint64_t fault = added(settings.corrections.fault);
  const std::string_view name = name_of(settings.kind);
  if (settings.kind != CounterKind::Landmark) {
    say("counter: ", name, "; stops up to ", settings.margin, " instructions late (seen ",
        counter.skid, "), counts off by up to ", settings.tolerance, "; subtracts ", interrupt,
        " per interrupt, ", fault, " per fault");
  } else {
    say("counter: none; a breakpoint stops second runs");
  }
  print_event("counter", "name", name, "margin", settings.margin, "tolerance", settings.tolerance,
              "skid", counter.skid, "overcount_interrupt", interrupt, "overcount_fault", fault);
}

void print_boot(const MachineReport& machine, std::string_view command_line) {
  print_event("boot", "log", 1u, "memory_kib", machine.total_memory >> 10, "free_kib",
              machine.free_memory >> 10, "modules", machine.modules, "command_line", command_line);
}

void print_process_end(const Program& program, const ProcessReport& process,
                       Settings::Report detail) {
  const std::string_view name = program.called();
  print_event("exit", "process", name, "pid", program.process, "status", program.exit_status,
              "hardened", process.hardened != 0 ? "yes" : "no", "mismatch",
              process.standing != 0 ? "standing" : "none", "stopped",
              program.stopped ? "yes" : "no");
  if (!has_reports(detail)) return;
  const bool full = detail == Settings::Report::Full;
  const TextLine ended = program.stopped
                             ? TextLine{name, ": stopped by stop.after= or onfail="}
                             : TextLine{name, ": ended with status ", program.exit_status};
  if (process.hardened == 0) {
    say(ended, "; it was not hardened and ran once");
    print_event("unhardened", "process", name, "pes", process.elements, "run_ns",
                process.user_time);
    if (full && program.guest) print_exits(name, process.exits);
    return;
  }
  const Statistics& s = process.statistics;
  say(ended, " after ", s.committed, " PEs, each run twice; ", s.mismatches.total, " mismatches, ",
      s.restarts, " restarts; total time is ", ratio(total_of(s.ticks), s.ticks.second_run),
      " times the second runs alone");
  print_verdicts(name, s);
  if (full) print_details(name, s, process.margin);
  if (full && program.guest) print_exits(name, process.exits);
}

ProgramTotals totals_of(const ProcessReport& process) {
  ProgramTotals totals{.elements = process.elements, .standing = process.standing};
  if (process.hardened == 0) return totals;
  totals.mismatches = process.statistics.mismatches.total;
  totals.restarts = process.statistics.restarts;
  return totals;
}

void print_final_report(Programs& programs, const Settings& settings) {
  std::uint64_t count = 0, elements = 0, mismatches = 0, restarts = 0, failed = 0, standing = 0;
  for (const Program& program : programs.all()) {
    const ProgramTotals totals =
        program.ended ? program.totals : totals_of(process_report(program.process));
    if (!program.driver) {
      ++count;
      elements += totals.elements;
    }
    failed += program.failed() ? 1 : 0;
    standing += totals.standing;
    mismatches += totals.mismatches;
    restarts += totals.restarts;
  }
  const ProgramTotals own = totals_of(process_report(init_number));
  mismatches += own.mismatches;
  restarts += own.restarts;
  const MachineReport& machine = machine_report();
  const std::uint64_t limit = dwc::Pace::longest_limit(pace_settings(settings.kernel));
  if (has_reports(settings.report)) {
    say(count, " programs, ", elements, " PEs, ", mismatches, " mismatches found, ", restarts,
        " restarts, ", standing, " left standing");
    say("no interrupt waited longer than ", machine.longest_wait / 1000,
        " us; the longest PE took ", machine.longest_pe / 1000, " us, a run of it at most ",
        limit / 1000, " us");
    print_event("latency", "longest_wait_ns", machine.longest_wait, "longest_pe_ns",
                machine.longest_pe, "limit_ns", limit, "bound_ns", settings.kernel.pe_latency);
  }
  const auto [died_out, caught, stopped] = machine.flips;
  print_event("shutdown", "programs", count, "pes", elements, "mismatches", mismatches, "restarts",
              restarts, "flips", caught + died_out + stopped, "flips_caught", caught,
              "flips_died_out", died_out, "flips_stopped", stopped, "failed", failed, "standing",
              standing, "time_ns", static_cast<std::uint64_t>(user::time()));
}

}  // namespace reprise
