// Time, by the time-stamp counter. It counts from kernel entry and never runs backwards, but for
// one jump at set_clock(). Until then the time stamp is taken to run at 1 GHz, so one nanosecond is
// one of its ticks.
#pragma once

#include <cstdint>

#include "kernel/base/address.hpp"

namespace arch {

void start_clock();  // measures the local APIC's timer against the time stamp; after interrupts

[[nodiscard]] reprise::Nanoseconds now();
[[nodiscard]] std::uint64_t time_stamp();       // ticks since kernel entry
[[nodiscard]] std::uint64_t timer_frequency();  // of the local APIC's timer, in hertz; 0: stands

// How fast time stamp and timer run, in hertz. This moment becomes time_stamp() `stamp`: what has
// passed since that stamp was read is left out of time.
void set_clock(std::uint64_t stamp_hertz, std::uint64_t timer_hertz, std::uint64_t stamp);

}  // namespace arch
