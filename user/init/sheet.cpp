#include "user/init/sheet.hpp"

#include "kernel/base/arithmetic.hpp"
#include "user/init/event_line.hpp"
#include "user/init/processor.hpp"
#include "user/init/sheet_line.hpp"
#include "user/init/words.hpp"
#include "user/lib/instructions.hpp"

namespace reprise {
namespace {

using dwc::PeEnd;

std::uint64_t kilocycles(std::uint64_t nanoseconds, std::uint64_t hertz) {
  constexpr std::uint64_t billion = 1'000'000'000;
  return (scale(nanoseconds, hertz, billion) + 500) / 1000;
}

std::uint64_t count_of(const dwc::Statistics& s, PeEnd::Kind kind) {
  return s.by_end[static_cast<std::size_t>(kind)];
}

std::uint64_t added(std::int64_t correction) {
  return static_cast<std::uint64_t>(larger<std::int64_t>(correction, 0));
}

}  // namespace

void Sheet::add(const Program& program, const ProcessReport& process) {
  if (program.driver || count_ == rows_.size()) return;
  Row& row = rows_[count_];
  ++count_;
  row = {.name = program.name,
         .status = program.exit_status,
         .elements = process.elements,
         .user_time = process.user_time,
         .hardened = process.hardened != 0,
         .figures = process.statistics};
}

void Sheet::print_line(const TextLine& text) {
  ++lines_;
  const TextLine line = sheet_line(lines_, text.view());
  constexpr std::size_t digits = 4;
  const std::string_view whole = line.view();
  all_ = check_of({whole.data() + whole.size() - digits, digits}, all_);
  print_whole_line("sheet ", whole);
}

void Sheet::print_head(const MachineFacts& facts, const MachineReport& machine) {
  const auto& [stamp, timer] = facts.clocks;
  const auto& [settings, skid] = facts.counter;
  const user::CpuidResult version = user::cpuid_leaf(1);
  const bool hypervisor = (version.ecx & 1u << 31) != 0;
  print_line(TextLine{"reprise format 1 unit kilocycles"});
  print_line(TextLine{"cpu ", Hex{version.eax}, " hypervisor ", hypervisor ? "yes " : "no ",
                      processor_name()});
  print_line(TextLine{"clock kHz ", stamp.hertz / 1000, " by ", stamp.source, " timer ",
                      timer.hertz / 1000, " by ", timer.source});
  print_line(TextLine{"counter ", name_of(settings.kind), " margin ", settings.margin,
                      " tolerance ", settings.tolerance, " skid ", skid, " interrupt ",
                      added(settings.corrections.interrupt), " fault ",
                      added(settings.corrections.fault)});
  print_line(TextLine{"machine KiB ", machine.total_memory >> 10, " wait-ns ", machine.longest_wait,
                      " pe-ns ", machine.longest_pe});
}

void Sheet::print_twice(const Row& row, std::uint64_t stamp_hertz) {
  const dwc::Statistics& s = row.figures;
  const dwc::PhaseTicks& t = s.ticks;
  TextLine line{"2x ", std::string_view{row.name.data()}};
  for (const std::uint64_t count :
       {row.status, s.mismatches.total, s.committed, count_of(s, PeEnd::Kind::TimeLimit),
        count_of(s, PeEnd::Kind::SystemCall)}) {
    line.append(" ", count);
  }
  for (const std::uint64_t time : {t.load, t.first_run, t.fault, t.rewind, t.flush, t.second_run,
                                   t.convergence, t.compare_commit}) {
    line.append(" ", kilocycles(time, stamp_hertz));
  }
  for (const std::uint64_t count :
       {s.steps, s.write_faults, s.copies, s.copies_at_fault, s.compares, s.flushed_pages}) {
    line.append(" ", count);
  }
  print_line(line);
}

// Name, exit status, stretches between two traps, kilocycles; three programs in a line.
void Sheet::print_once(std::uint64_t stamp_hertz) {
  constexpr std::size_t most = 3;
  TextLine line;
  std::size_t used = 0;
  for (const Row& row : std::span{rows_}.first(count_)) {
    if (row.hardened) continue;
    if (used == 0) line = TextLine{"1x"};
    line.append(" ", std::string_view{row.name.data()}, " ", row.status, " ", row.elements, " ",
                kilocycles(row.user_time, stamp_hertz));
    ++used;
    if (used < most) continue;
    print_line(line);
    used = 0;
  }
  if (used != 0) print_line(line);
}

void Sheet::print(const MachineFacts& facts, const MachineReport& machine) {
  const std::uint64_t hertz = facts.clocks.stamp.hertz;
  print_head(facts, machine);
  for (const Row& row : std::span{rows_}.first(count_)) {
    if (row.hardened) print_twice(row, hertz);
  }
  print_once(hertz);
  print_line(TextLine{"end ", lines_ + 1, " all ", digits_of(all_)});
}

}  // namespace reprise
