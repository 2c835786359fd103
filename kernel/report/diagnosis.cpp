#include "kernel/report/report.hpp"

#include <array>
#include <span>

#include "kernel/console/line.hpp"

namespace reprise {
namespace {

using Diagnosis = dwc::Diagnosis<KernelPlatform>;

struct VerdictText {
  std::string_view word, explanation;
};

// In the order of dwc::Verdict.
constexpr std::array verdict_texts{
    VerdictText{
        "divergence",
        "its two runs kept differing: not a transient fault, or a source of nondeterminism"},
    VerdictText{"snapshot-corrupt",
                "the state to go back to has changed itself: nothing right is left to run from"},
    VerdictText{"unresolved",
                "its second run never came to where the time limit had ended the first"},
    VerdictText{"machine-check", "the processor reported errors of its own in each attempt"},
};

// The instruction bytes at an address, "48 89 e5 ..."; "-" where nothing can be read.
TextLine bytes_at(Process& process, std::uint64_t rip) {
  std::array<std::uint8_t, 16> code;
  std::size_t count = code.size();
  while (count > 0 && !process.space().read(UserAddr{rip},
                                            std::as_writable_bytes(std::span{code}.first(count)))) {
    --count;
  }
  TextLine line{count == 0 ? "-" : ""};
  for (std::size_t i = 0; i < count; ++i) {
    constexpr std::string_view digits = "0123456789abcdef";
    line.append(i == 0 ? "" : " ", digits[code[i] >> 4], digits[code[i] & 15]);
  }
  return line;
}

void print_run(Process& process, unsigned run, const dwc::PeEnd& end, std::uint64_t rip) {
  print_event("mismatch-run", "process", process.name(), "run", run, "end", name_of(end.kind),
              "vector", end.vector, "error_code", Hex{end.error_code}, "address",
              Hex{end.fault_address}, "rip", Hex{rip}, "code", bytes_at(process, rip));
}

void print_differences(const Process& process, const Diagnosis& diagnosis) {
  for (const dwc::RegisterDifference& difference : diagnosis.registers.items()) {
    std::array<char, 16> name;
    print_event("mismatch-register", "process", process.name(), "register",
                arch::word_name(difference.index, name), "first", Hex{difference.first}, "second",
                Hex{difference.second});
  }
  for (const auto& difference : diagnosis.pages.items()) {
    const std::uint64_t address = address_of(difference.page).value() + difference.word * 8;
    print_event("mismatch-word", "process", process.name(), "address", Hex{address}, "first",
                Hex{difference.first}, "second", Hex{difference.second});
  }
}

}  // namespace

void print_diagnosis(Process& process) {
  const Diagnosis& diagnosis = process.engine().diagnosis();
  const VerdictText& verdict = verdict_texts[static_cast<std::size_t>(diagnosis.verdict)];
  say(process.name(), ": PE ", diagnosis.pe,
      " is not committed and the program is stopped: ", verdict.explanation);
  print_event("mismatch", "process", process.name(), "pe", diagnosis.pe, "verdict", verdict.word,
              "start_rip", Hex{process.registers()[arch::Register::Rip]}, "registers",
              diagnosis.registers.total(), "words", diagnosis.pages.total());
  if (diagnosis.verdict == dwc::Verdict::SnapshotCorrupt) {
    const PageNumber page = diagnosis.corrupt_page.value_or(PageNumber{});
    print_event("snapshot", "process", process.name(), "part",
                diagnosis.corrupt_page ? "page" : "registers", "page",
                Hex{address_of(page).value()});
  }
  print_run(process, 1, diagnosis.first_end, diagnosis.first_rip);
  if (diagnosis.second_end) print_run(process, 2, *diagnosis.second_end, diagnosis.second_rip);
  print_differences(process, diagnosis);
}

}  // namespace reprise
