#include "kernel/report/diagnosis.hpp"

#include <array>
#include <span>

#include "kernel/console/line.hpp"
#include "kernel/report/report.hpp"

namespace reprise {
namespace {

using Diagnosis = dwc::Diagnosis<KernelPlatform>;

std::string_view word_of(dwc::Verdict verdict) {
  switch (verdict) {
    case dwc::Verdict::Divergence:
      return "divergence";
    case dwc::Verdict::SnapshotCorrupt:
      return "snapshot-corrupt";
    case dwc::Verdict::MachineCheck:
      return "machine-check";
    case dwc::Verdict::TooLong:
      break;
  }
  return "too-long";
}

std::string_view explanation_of(dwc::Verdict verdict) {
  switch (verdict) {
    case dwc::Verdict::Divergence:
      return "its two runs kept differing: not a transient fault, or a source of nondeterminism";
    case dwc::Verdict::SnapshotCorrupt:
      return "the state to go back to has changed itself: nothing right is left to run from";
    case dwc::Verdict::MachineCheck:
      return "the processor reported errors of its own in each attempt";
    case dwc::Verdict::TooLong:
      break;
  }
  return "its first run took too long, twice (pe.watchdog= sets the limit)";
}

// The instruction bytes at an address, "48 89 e5 ..."; "-" where nothing can be read.
Line bytes_at(Process& process, std::uint64_t rip) {
  std::array<std::uint8_t, 16> code;
  std::size_t count = code.size();
  while (count > 0 && !process.space().read(
                          UserAddr{rip}, std::as_writable_bytes(std::span{code}.first(count)))) {
    --count;
  }
  Line line;
  if (count == 0) line.text("-");
  for (std::size_t i = 0; i < count; ++i) {
    const std::array digits{"0123456789abcdef"[code[i] >> 4], "0123456789abcdef"[code[i] & 15]};
    if (i != 0) line.text(" ");
    line.text({digits.data(), digits.size()});
  }
  return line;
}

void print_run(Process& process, unsigned run, const dwc::PeEnd& end, std::uint64_t rip) {
  EventLine{"mismatch-run"}
      .field("process", process.name())
      .field("run", run)
      .field("end", name_of(end.kind))
      .field("vector", end.vector)
      .hex("error_code", end.error_code)
      .hex("address", end.fault_address)
      .hex("rip", rip)
      .field("code", bytes_at(process, rip).view())
      .print();
}

void print_differences(const Process& process, const Diagnosis& diagnosis) {
  for (const dwc::RegisterDifference& difference : diagnosis.registers.items()) {
    std::array<char, 16> name;
    EventLine{"mismatch-register"}
        .field("process", process.name())
        .field("register", arch::word_name(difference.index, name))
        .hex("first", difference.first)
        .hex("second", difference.second)
        .print();
  }
  for (const auto& difference : diagnosis.pages.items()) {
    EventLine{"mismatch-word"}
        .field("process", process.name())
        .hex("address", address_of(difference.page).value() + difference.word * 8)
        .hex("first", difference.first)
        .hex("second", difference.second)
        .print();
  }
}

}  // namespace

void print_diagnosis(Process& process) {
  const Diagnosis& diagnosis = process.engine().diagnosis();
  Line{process.name()}
      .text(": PE ")
      .number(diagnosis.pe)
      .text(" is not committed and the program is stopped: ")
      .text(explanation_of(diagnosis.verdict))
      .print();
  EventLine{"mismatch"}
      .field("process", process.name())
      .field("pe", diagnosis.pe)
      .field("verdict", word_of(diagnosis.verdict))
      .hex("start_rip", process.registers()[arch::Register::Rip])
      .field("registers", diagnosis.registers.total())
      .field("words", diagnosis.pages.total())
      .print();
  if (diagnosis.verdict == dwc::Verdict::SnapshotCorrupt) {
    EventLine{"snapshot"}
        .field("process", process.name())
        .field("part", diagnosis.corrupt_page ? "page" : "registers")
        .hex("page", diagnosis.corrupt_page ? address_of(*diagnosis.corrupt_page).value() : 0)
        .print();
  }
  print_run(process, 1, diagnosis.first_end, diagnosis.first_rip);
  if (diagnosis.second_end) {
    print_run(process, 2, *diagnosis.second_end, diagnosis.second_rip);
  }
  print_differences(process, diagnosis);
}

}  // namespace reprise
