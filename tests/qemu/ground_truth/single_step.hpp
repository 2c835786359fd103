// Runs an unhardened process one instruction at a time. Where a step would show in what the program
// stores (PUSHF, SYSCALL), or cover two instructions (PAUSE in QEMU 7.2), the instruction runs at
// full speed up to a breakpoint behind it. A repeated string instruction is a step each iteration:
// the time limit can stop it at each.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/process/process.hpp"

namespace ground_truth {

// A position has been reached, or the PE's end that has to be served before the next one.
struct StepResult {
  std::optional<dwc::PeEnd> end;
};

// The process's address space must be active and its registers loaded; its state is complete after.
[[nodiscard]] StepResult step(reprise::Process& process);

}  // namespace ground_truth
