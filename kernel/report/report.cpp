#include "kernel/report/report.hpp"

#include <array>

#include "arch/machine.hpp"
#include "kernel/console/line.hpp"

namespace reprise {
namespace {

using dwc::PeEnd;
using dwc::Statistics;

std::uint64_t total_of(const dwc::PhaseTicks& t) {
  return t.load + t.first_run + t.fault + t.rewind + t.flush + t.second_run +
         t.compare_commit;
}

void print_ends(std::string_view name, const Statistics& statistics) {
  EventLine line{"ends"};
  line.field("process", name);
  for (std::size_t kind = 0; kind < Statistics::end_kinds; ++kind) {
    line.field(name_of(static_cast<PeEnd::Kind>(kind)), statistics.by_end[kind]);
  }
  line.print();
}

void print_pages(std::string_view name, const Statistics& statistics) {
  constexpr std::array<std::string_view, Statistics::page_buckets> buckets{
      "p0", "p1", "p2", "p3-4", "p5-8", "p9-16", "p17-32", "p33-64", "p65"};
  EventLine line{"modified-pages"};
  line.field("process", name);
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    line.field(buckets[i], statistics.modified_pages[i]);
  }
  line.print();
  EventLine{"page-costs"}
      .field("process", name)
      .field("copies", statistics.copies)
      .field("fault_copies", statistics.copies_at_fault)
      .field("compares", statistics.compares)
      .field("write_faults", statistics.write_faults)
      .field("remaps", statistics.remaps)
      .field("evictions", statistics.evictions)
      .print();
}

void print_times(std::string_view name, const Statistics& statistics) {
  const dwc::PhaseTicks& t = statistics.ticks;
  EventLine{"times"}
      .field("process", name)
      .field("load_ns", t.load)
      .field("first_run_ns", t.first_run)
      .field("fault_ns", t.fault)
      .field("rewind_ns", t.rewind)
      .field("flush_ns", t.flush)
      .field("second_run_ns", t.second_run)
      .field("compare_commit_ns", t.compare_commit)
      .field("longest_pe_ns", statistics.longest_pe_ticks)
      .field("overhead_percent", t.second_run == 0 ? 0 : 100 * total_of(t) / t.second_run)
      .print();
}

void print_verdicts(std::string_view name, const Statistics& statistics) {
  EventLine{"verdicts"}
      .field("process", name)
      .field("pes", statistics.committed)
      .field("first_runs", statistics.first_runs)
      .field("second_runs", statistics.second_runs)
      .field("mismatches", statistics.mismatches.total)
      .field("by_end", statistics.mismatches.end)
      .field("by_registers", statistics.mismatches.registers)
      .field("by_pages", statistics.mismatches.pages)
      .field("restarts", statistics.restarts)
      .field("snapshot_failures", statistics.snapshot_failures)
      .field("too_long", statistics.watchdog_expiries)
      .field("machine_checks", statistics.machine_checks)
      .print();
}

void print_for_people(Process& process) {
  const Statistics& statistics = process.engine().statistics();
  Line{process.name()}
      .text(": ended with status ")
      .number(process.exit_status)
      .text(" after ")
      .number(statistics.committed)
      .text(" PEs, each run twice; ")
      .number(statistics.mismatches.total)
      .text(" mismatches, ")
      .number(statistics.restarts)
      .text(" restarts; total time is ")
      .fraction(total_of(statistics.ticks), statistics.ticks.second_run)
      .text(" times the second runs alone")
      .print();
}

}  // namespace

std::string_view name_of(PeEnd::Kind kind) {
  switch (kind) {
    case PeEnd::Kind::SystemCall:
      return "system-call";
    case PeEnd::Kind::Exception:
      return "exception";
    case PeEnd::Kind::PageBudget:
      return "page-budget";
    case PeEnd::Kind::OutOfFrames:
      return "out-of-frames";
    case PeEnd::Kind::Watchdog:
      return "watchdog";
    case PeEnd::Kind::UnexpectedWrite:
      return "unexpected-write";
    case PeEnd::Kind::ControlBits:
      return "control-bits";
    case PeEnd::Kind::count:
      break;
  }
  return "unknown";
}

void print_process_end(Process& process, const Settings& settings) {
  EventLine{"exit"}
      .field("process", process.name())
      .field("pid", process.id())
      .field("status", process.exit_status)
      .field("hardened", process.hardened() ? "yes" : "no")
      .field("mismatch", process.mismatch_standing ? "standing" : "none")
      .print();
  if (settings.report == Settings::Report::None) return;
  if (!process.hardened()) {
    Line{process.name()}
        .text(": ended with status ")
        .number(process.exit_status)
        .text("; it was not hardened and ran once")
        .print();
    EventLine{"unhardened"}
        .field("process", process.name())
        .field("pes", process.elements)
        .field("run_ns", process.user_time.value())
        .print();
    return;
  }
  print_for_people(process);
  const Statistics& statistics = process.engine().statistics();
  print_verdicts(process.name(), statistics);
  if (settings.report == Settings::Report::Short) return;
  print_ends(process.name(), statistics);
  print_pages(process.name(), statistics);
  print_times(process.name(), statistics);
}

void print_final_report(ProcessTable& table, const Injector& injector, const Settings& settings) {
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
    Line{}
        .number(table.size())
        .text(" programs, ")
        .number(elements)
        .text(" PEs, ")
        .number(mismatches)
        .text(" mismatches found, ")
        .number(restarts)
        .text(" undone by a restart, ")
        .number(standing)
        .text(" left standing")
        .print();
  }
  EventLine{"shutdown"}
      .field("programs", table.size())
      .field("pes", elements)
      .field("mismatches", mismatches)
      .field("restarts", restarts)
      .field("flips", injector.flips())
      .field("flips_caught", injector.caught())
      .field("flips_died_out", injector.died_out())
      .field("flips_stopped", injector.stopped())
      .field("failed", failed)
      .field("standing", standing)
      .field("time_ns", arch::now().value())
      .print();
}

}  // namespace reprise
