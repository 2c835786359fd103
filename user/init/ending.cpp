#include "user/init/ending.hpp"
#include "user/init/event_line.hpp"

namespace reprise {
namespace {

constexpr std::uint64_t faulted = 128, killed = 137;  // what the kernel gives

struct ExceptionText {
  std::uint8_t vector;
  std::uint8_t signal;
  std::string_view name;
};

// Intel SDM Vol. 3A table 6-1.
constexpr ExceptionText exception_texts[] = {
    {.vector = 0, .signal = 8, .name = "divide error"},
    {.vector = 1, .signal = 5, .name = "debug exception"},
    {.vector = 3, .signal = 5, .name = "breakpoint"},
    {.vector = 6, .signal = 4, .name = "invalid opcode"},
    {.vector = 7, .signal = 8, .name = "device not available"},
    {.vector = 11, .signal = 7, .name = "segment not present"},
    {.vector = 12, .signal = 7, .name = "stack fault"},
    {.vector = 13, .signal = 11, .name = "general protection"},
    {.vector = 14, .signal = 11, .name = "page fault"},
    {.vector = 16, .signal = 8, .name = "x87 floating-point error"},
    {.vector = 17, .signal = 7, .name = "alignment check"},
    {.vector = 19, .signal = 8, .name = "SIMD floating-point exception"},
};

ExceptionText text_of(std::uint8_t vector) {
  for (const ExceptionText& text : exception_texts) {
    if (text.vector == vector) return text;
  }
  return {.vector = vector, .signal = 11, .name = "exception"};
}

bool died_of(const ProcessReport& process, dwc::PeEnd::Kind kind, std::uint64_t status) {
  return process.last_end.kind == kind && process.exit_status == status;
}

bool died_of_exception(const ProcessReport& process) {
  return died_of(process, dwc::PeEnd::Kind::Exception, faulted);
}

// A closed port raises general protection.
void print_refusal(std::string_view name, const ProcessReport& process) {
  const AccessRefusal& refused = process.refused;
  if (refused.reason == AccessRefusal::Reason::None) return;
  const std::string_view kind = process.last_end.vector == 13 ? "port" : "address";
  const bool granted = refused.reason != AccessRefusal::Reason::NotGranted;
  say(name, ": ", kind, " ", Hex{refused.first},
      granted ? " is reached by an instruction that reaches several places; use a plain MOV"
              : " is not granted: boot argument grant=");
  print_event("access-refused", "process", name, "kind", kind, "first", Hex{refused.first}, "last",
              Hex{refused.last}, "rip", Hex{process.rip});
}

}  // namespace

std::uint64_t exit_status_of(const ProcessReport& process) {
  return process.exit_status +
         (died_of_exception(process) ? text_of(process.last_end.vector).signal : 0u);
}

void print_cause(std::string_view name, const ProcessReport& process) {
  const dwc::PeEnd& end = process.last_end;
  if (died_of_exception(process)) {
    print_refusal(name, process);
    say(name, ": ", text_of(end.vector).name, " at ", Hex{process.rip}, ", address ",
        Hex{end.fault_address}, "; the program has no handler for it and ends");
    print_event("exception", "process", name, "vector", end.vector, "error_code",
                Hex{end.error_code}, "rip", Hex{process.rip}, "address", Hex{end.fault_address});
  }
  if (died_of(process, dwc::PeEnd::Kind::OutOfFrames, killed)) {
    say(name, ": memory is exhausted and the program is ended; give the machine more");
    print_event("out-of-memory", "process", name);
  }
}

}  // namespace reprise
