// Runs one processing element of a process to its end: in ring 3, trap by trap, as the engine says;
// or once, when the process is not hardened. What the end asks for is served by the caller, once,
// afterwards.
#pragma once

#include "arch/run_user.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

// `limit` ends the one run of a process that is not hardened; the engine has its own. The end that
// both runs agreed on, committed. Nothing: the engine gave up; the process is back at the PE's
// start and must not run on.
[[nodiscard]] std::optional<dwc::PeEnd> run_element(Process& process, Nanoseconds limit);

// The page whose write protection, and nothing else, caused this trap.
[[nodiscard]] std::optional<PageNumber> protected_page(Process& process, const arch::Trap& trap);
// A system call or an exception as the end of a PE.
[[nodiscard]] dwc::PeEnd end_of(const arch::Trap& trap);

}  // namespace reprise
