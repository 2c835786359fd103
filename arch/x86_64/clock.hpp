// Where time begins, and how long it is for the timer.
#pragma once

#include <cstdint>

#include "kernel/base/address.hpp"

namespace arch::x86 {

void note_kernel_entry();  // now() counts from here

// What the local APIC's timer counts in that time.
[[nodiscard]] std::uint64_t timer_ticks(reprise::Nanoseconds duration);

}  // namespace arch::x86
