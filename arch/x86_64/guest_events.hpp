// Events that a stop of the guest found on their way: exceptions and interrupts, as words in the
// format of EVENTINJ (AMD APM Vol. 2 §15.20).
#pragma once

#include <cstdint>

#include "arch/x86_64/registers.hpp"
#include "arch/x86_64/vmcb.hpp"

namespace arch::x86 {

// Exit codes of intercepted exceptions: this and the vector.
inline constexpr std::uint64_t exit_exceptions = 0x40;

[[nodiscard]] constexpr bool is_exception(std::uint64_t exit_code) {
  return exit_code >= exit_exceptions && exit_code < exit_exceptions + exception_vectors;
}

// Lets the intercepted exception wait: the guest takes it when it is entered again. Returns its
// vector.
std::uint8_t hold_exception(Vmcb& block);

// The stop came while an instruction's own event was being delivered. The event comes again when
// the instruction is carried out again.
[[nodiscard]] bool repeats_instruction(const Vmcb& block);
// What the guest was delivering when it stopped, and what has to be delivered again; 0: nothing.
[[nodiscard]] std::uint64_t interrupted_event(const Vmcb& block);

// The event that waits in the block is an interrupt.
[[nodiscard]] bool delivers_interrupt(const Vmcb& block);

}  // namespace arch::x86
