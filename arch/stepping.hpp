// Takes a program over one instruction, and leaves no trace that the program could see. The trap
// flag would show in the flags that PUSHF stores and SYSCALL leaves in R11. So such instructions
// run at full speed up to a breakpoint behind them, or to their own trap. A repeated string
// instruction is one step, however many iterations it has. Next: arch/run_user.hpp, whose traps it
// sets up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "arch/user_state.hpp"
#include "kernel/base/address.hpp"

namespace arch {

inline constexpr std::size_t longest_instruction = 15;  // bytes; Intel SDM Vol. 2A §2.3.11

// What stepping has to know of an instruction.
struct InstructionShape {
  enum class Kind : std::uint8_t {
    Plain,     // the trap flag does no harm
    Around,    // PUSHF, POPF; PAUSE, over which an emulator steps together with what follows
    Repeated,  // REP with a string instruction
    Call,      // SYSCALL
  };
  enum class While : std::uint8_t { Always, Equal, Unequal };
  Kind kind = Kind::Plain;
  std::uint8_t length = 0;        // bytes; not known for Plain
  bool narrow_count = false;      // ECX rather than RCX counts
  While repeats = While::Always;  // as long as the count lasts, and ZF is so (CMPS, SCAS)
};

// `code` is the instruction's start, as many bytes as are mapped. Intel SDM Vol. 2A §2.1; Vol. 2B,
// REP.
[[nodiscard]] InstructionShape shape_of(std::span<const std::uint8_t> code);

class Stepper {
public:
  // Break traps whenever the program arrives there.
  void watch(std::optional<reprise::UserAddr> rip);
  // True at the watched address. No trap reports that when the program is entered there.
  [[nodiscard]] bool watches(std::uint64_t rip) const { return watched_ == reprise::UserAddr{rip}; }

  // Sets up the next run_user(): it ends behind the instruction at RIP, or before that by another
  // trap. If `target` stands in the same repeated instruction, at an iteration that lies ahead, the
  // run ends at that iteration: the count is cut down to what is missing.
  void begin(UserState& state, const UserState& target, std::span<const std::uint8_t> code);

  // After the trap, before anything else reads `state`: takes all of that back. False when begin()
  // was not called.
  bool end(UserState& state);

private:
  void give_count_back(UserState& state) const;

  std::optional<reprise::UserAddr> watched_;
  bool active_ = false;
  InstructionShape shape_;
  std::uint64_t at_ = 0;                     // RIP of the instruction
  std::optional<std::uint64_t> count_left_;  // what the count was cut down by
};

}  // namespace arch
