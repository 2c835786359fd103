#include "kernel/report/report.hpp"

#include <array>

#include "arch/machine.hpp"
#include "kernel/console/line.hpp"

namespace reprise {
namespace {

using dwc::PeEnd;
using dwc::Statistics;

// In the order of PeEnd::Kind.
constexpr std::array<std::string_view, Statistics::end_kinds> end_names{
    "system-call", "exception",        "page-budget", "out-of-frames",
    "time-limit",  "watchdog",         "unexpected-write", "control-bits"};
constexpr std::array<std::string_view, Statistics::page_buckets> bucket_names{
    "p0", "p1", "p2", "p3-4", "p5-8", "p9-16", "p17-32", "p33-64", "p65"};

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

template <std::size_t Count>
void print_counts(std::string_view event, std::string_view process,
                  const std::array<std::string_view, Count>& names,
                  const std::array<std::uint64_t, Count>& counts) {
  EventLine line{event, "process", process};
  for (std::size_t i = 0; i < Count; ++i) line.add(names[i], counts[i]);
  line.print();
}

void print_verdicts(std::string_view name, const Statistics& s) {
  print_event("verdicts", "process", name, "pes", s.committed, "first_runs", s.first_runs,
              "second_runs", s.second_runs, "mismatches", s.mismatches.total, "by_end",
              s.mismatches.end, "by_registers", s.mismatches.registers, "by_pages",
              s.mismatches.pages, "restarts", s.restarts, "snapshot_failures", s.snapshot_failures,
              "watchdog", s.watchdog_expiries, "machine_checks", s.machine_checks);
}

void print_details(std::string_view name, const Statistics& s, std::uint64_t margin) {
  const dwc::PhaseTicks& t = s.ticks;
  print_counts("ends", name, end_names, s.by_end);
  print_counts("modified-pages", name, bucket_names, s.modified_pages);
  print_event("convergence", "process", name, "limited",
              s.by_end[static_cast<std::size_t>(PeEnd::Kind::TimeLimit)], "converged", s.converged,
              "steps", s.steps, "most_steps", s.most_steps, "candidates", s.candidates, "failed",
              s.failed_convergences, "unresolved", s.unresolved, "margin", margin);
  print_event("page-costs", "process", name, "copies", s.copies, "fault_copies", s.copies_at_fault,
              "compares", s.compares, "write_faults", s.write_faults, "remaps", s.remaps,
              "evictions", s.evictions);
  print_event("times", "process", name, "load_ns", t.load, "first_run_ns", t.first_run, "fault_ns",
              t.fault, "rewind_ns", t.rewind, "flush_ns", t.flush, "second_run_ns", t.second_run,
              "convergence_ns", t.convergence, "compare_commit_ns", t.compare_commit,
              "longest_pe_ns", s.longest_pe_ticks,
              "overhead_percent", t.second_run == 0 ? 0 : 100 * total_of(t) / t.second_run);
}

}  // namespace

void print_error(Error error, std::string_view subject) {
  const ErrorText& text = text_of(error);
  say(subject, ": ", text.advice);
  print_event("error", "code", text.word, "subject", subject);
}

std::string_view name_of(PeEnd::Kind kind) { return end_names[static_cast<std::size_t>(kind)]; }

void print_process_end(Process& process, const Settings& settings) {
  const std::string_view name = process.name();
  print_event("exit", "process", name, "pid", process.id(), "status", process.exit_status,
              "hardened", process.hardened() ? "yes" : "no", "mismatch",
              process.mismatch_standing ? "standing" : "none", "stopped",
              process.stopped ? "yes" : "no");
  if (settings.report == Settings::Report::None) return;
  const TextLine ended = process.stopped
                             ? TextLine{name, ": stopped by stop.after="}
                             : TextLine{name, ": ended with status ", process.exit_status};
  if (!process.hardened()) {
    say(ended, "; it was not hardened and ran once");
    print_event("unhardened", "process", name, "pes", process.elements, "run_ns",
                process.user_time.value());
    return;
  }
  const Statistics& s = process.engine().statistics();
  say(ended, " after ", s.committed, " PEs, each run twice; ", s.mismatches.total, " mismatches, ",
      s.restarts, " restarts; total time is ", ratio(total_of(s.ticks), s.ticks.second_run),
      " times the second runs alone");
  print_verdicts(name, s);
  if (settings.report == Settings::Report::Full) print_details(name, s, process.engine().margin());
}

void print_final_report(ProcessTable& table, const Injector& injector, const Latency& latency,
                        const Settings& settings) {
  std::uint64_t elements = 0, mismatches = 0, restarts = 0, failed = 0, standing = 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    Process& process = table[i];
    elements += process.elements;
    failed += process.exit_status != 0 ? 1 : 0;
    standing += process.mismatch_standing ? 1 : 0;
    if (!process.hardened()) continue;
    mismatches += process.engine().statistics().mismatches.total;
    restarts += process.engine().statistics().restarts;
  }
  if (settings.report != Settings::Report::None) {
    say(table.size(), " programs, ", elements, " PEs, ", mismatches, " mismatches found, ",
        restarts, " restarts, ", standing, " left standing");
    say("no interrupt waited longer than ", latency.longest_wait.value() / 1000,
        " us; the longest PE took ", latency.longest_pe.value() / 1000, " us, a run of it at most ",
        settings.pe_limit.value() / 1000, " us");
    print_event("latency", "longest_wait_ns", latency.longest_wait.value(), "longest_pe_ns",
                latency.longest_pe.value(), "limit_ns", settings.pe_limit.value());
  }
  using Outcome = Injector::Outcome;
  const std::uint64_t caught = injector.settled(Outcome::Caught);
  const std::uint64_t died_out = injector.settled(Outcome::DiedOut);
  const std::uint64_t stopped = injector.settled(Outcome::Stopped);
  print_event("shutdown", "programs", table.size(), "pes", elements, "mismatches", mismatches,
              "restarts", restarts, "flips", caught + died_out + stopped, "flips_caught", caught,
              "flips_died_out", died_out, "flips_stopped", stopped, "failed", failed, "standing",
              standing, "time_ns", arch::now().value());
}

}  // namespace reprise
