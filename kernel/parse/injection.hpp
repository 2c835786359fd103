// A flip on purpose, as `inject=` describes it. Each item of the list is
//
//   PROCESS:PE:RUN:TARGET:BIT[:start|end]
//
// with PE counted from 1, RUN 1 or 2, BIT 0 to 63 of a 64-bit word, and TARGET one of REGISTER,
// page.K.W, snapshot.REGISTER and snapshot.page.K.W (docs/running.md). The parser does not know
// the machine's registers: the caller says which names exist.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace reprise {

// arch::word_named: the index of a register word, or nothing for a name that does not exist.
using WordNamed = std::optional<std::size_t> (*)(std::string_view name);

struct Injection {
  enum class Target : std::uint8_t { Register, Page, SnapshotRegister, SnapshotPage };
  enum class Moment : std::uint8_t {
    Start,
    End
  };  // of the run: before its first instruction or
      // after its last, before anything is compared
  std::string_view process;
  std::uint64_t element = 1;  // PE of that process, from 1
  unsigned run = 1;           // 1 or 2
  Target target = Target::Register;
  std::size_t page = 0;           // K, from 0: K-th page of the page set; for page targets
  std::size_t word = 0;           // register word, or word of the page 0..511
  unsigned bit = 0;               // 0..63
  Moment moment = Moment::Start;  // not said: Start for a register, End for all others
};

struct InjectionOutcome {
  std::optional<Injection> injection;
  std::string_view fault;    // the part that is wrong, when there is no injection
  std::string_view allowed;  // what may stand there
};

[[nodiscard]] InjectionOutcome parse_injection(std::string_view item, WordNamed word_named);

}  // namespace reprise
