#include "user/init/report.hpp"

#include <array>

#include "user/init/event_line.hpp"

namespace reprise {
namespace {

using Diagnosis = dwc::Diagnosis<PageNumber>;

struct VerdictText {
  std::string_view word;         // for scripts
  std::string_view explanation;  // for people
};

VerdictText text_of(dwc::Verdict verdict) {
  switch (verdict) {
    case dwc::Verdict::Divergence:
      return {.word = "divergence",
              .explanation =
                  "its two runs kept differing: not a transient fault, or a source of "
                  "nondeterminism"};
    case dwc::Verdict::SnapshotCorrupt:
      return {.word = "snapshot-corrupt",
              .explanation =
                  "the state to go back to has changed itself: nothing right is left to "
                  "run from"};
    case dwc::Verdict::Unresolved:
      return {.word = "unresolved",
              .explanation =
                  "its second run never came to where the time limit had ended the "
                  "first"};
    case dwc::Verdict::MachineCheck:
      return {.word = "machine-check",
              .explanation = "the processor reported errors of its own in each attempt"};
    case dwc::Verdict::Nondeterministic:
      return {.word = "nondeterministic",
              .explanation = "two runs can never agree on what it does"};
  }
  __builtin_unreachable();  // the kernel has no other verdict
}

struct InstructionName {
  std::string_view people;
  std::string_view scripts;
};

// 0F C7 /6 and /7 with a register, behind 66 and REX (Intel SDM Vol. 2B, RDRAND and RDSEED).
InstructionName instruction_name(const CodeBytes& code) {
  std::size_t at = 0;
  while (at < code.count && (code.bytes[at] == 0x66 || code.bytes[at] >> 4 == 4)) ++at;
  const bool group9 = at + 2 < code.count && code.bytes[at] == 0x0f && code.bytes[at + 1] == 0xc7;
  const std::uint8_t operand = group9 ? code.bytes[at + 2] : 0;
  if (operand >= 0xf8) return {.people = "RDSEED", .scripts = "rdseed"};
  if (operand >= 0xf0) return {.people = "RDRAND", .scripts = "rdrand"};
  return {.people = "of unknown name", .scripts = "unknown"};
}

// The instruction bytes, "48 89 e5 ...", or "-" when they could not be read.
TextLine text_of(const CodeBytes& code) {
  TextLine line{code.count == 0 ? "-" : ""};
  for (std::size_t i = 0; i < code.count; ++i) {
    constexpr std::string_view digits = "0123456789abcdef";
    line.append(i == 0 ? "" : " ", digits[code.bytes[i] >> 4], digits[code.bytes[i] & 15]);
  }
  return line;
}

void print_run(std::string_view name, unsigned run, const dwc::PeEnd& end, std::uint64_t rip,
               const CodeBytes& code) {
  print_event("mismatch-run", "process", name, "run", run, "end", name_of(end.kind), "vector",
              end.vector, "error_code", Hex{end.error_code}, "address", Hex{end.fault_address},
              "rip", Hex{rip}, "code", text_of(code));
}

void print_differences(std::string_view name, const Diagnosis& diagnosis, const WordNames& names) {
  for (const auto& difference : diagnosis.registers.items()) {
    print_event("mismatch-register", "process", name, "register", word_name(names, difference.word),
                "first", Hex{difference.first}, "second", Hex{difference.second});
  }
  for (const auto& difference : diagnosis.pages.items()) {
    const std::uint64_t address = address_of(difference.page).value() + difference.word * 8;
    print_event("mismatch-word", "process", name, "address", Hex{address}, "first",
                Hex{difference.first}, "second", Hex{difference.second});
  }
}

}  // namespace

void print_diagnosis(std::string_view name, const ProcessReport& process, const WordNames& names) {
  const Diagnosis& diagnosis = process.diagnosis;
  const VerdictText verdict = text_of(diagnosis.verdict);
  say(name, ": PE ", diagnosis.pe,
      " is not committed and the program is stopped: ", verdict.explanation);
  EventLine line{"mismatch",
                 "process",
                 name,
                 "pe",
                 diagnosis.pe,
                 "verdict",
                 verdict.word,
                 "start_rip",
                 Hex{process.rip},
                 "registers",
                 diagnosis.registers.total(),
                 "words",
                 diagnosis.pages.total()};
  if (diagnosis.culprit) {
    const InstructionName instruction = instruction_name(process.code[2]);
    say(name, ": nondeterministic instruction ", instruction.people, " at ",
        Hex{*diagnosis.culprit});
    line.add("instruction", instruction.scripts, "rip", Hex{*diagnosis.culprit});
  }
  line.print();
  if (diagnosis.verdict == dwc::Verdict::SnapshotCorrupt) {
    const PageNumber page = diagnosis.corrupt_page.value_or(PageNumber{});
    print_event("snapshot", "process", name, "part", diagnosis.corrupt_page ? "page" : "registers",
                "page", Hex{address_of(page).value()});
  }
  print_run(name, 1, diagnosis.first_end, diagnosis.first_rip, process.code[0]);
  if (diagnosis.second_end) {
    print_run(name, 2, *diagnosis.second_end, diagnosis.second_rip, process.code[1]);
  }
  print_differences(name, diagnosis, names);
}

}  // namespace reprise
