// What other parts of this folder ask of the timer that arm_timer() arms.
#pragma once

#include <cstdint>
#include <optional>

namespace arch::x86 {

// The timer's vector was delivered; called with interrupts off, before end_of_interrupt().
void note_timer_interrupt();
// True once after the expiry of the present arming; false for a leftover of an earlier one.
[[nodiscard]] bool take_timer_expiry();
// Timer ticks left: 0 = expired, nullopt = not armed.
[[nodiscard]] std::optional<std::uint64_t> timer_left();

}  // namespace arch::x86
