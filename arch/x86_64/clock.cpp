// Time: the time-stamp counter. All that is found out here is how fast the local APIC's timer runs
// against it. How fast the time stamp is, init finds out and says (user/init/clock_rates.cpp).
// Until then both are taken to run at 1 GHz: all works, in units that are not quite nanoseconds.
#include "arch/clock.hpp"

#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/clock.hpp"
#include "arch/x86_64/instructions.hpp"
#include "kernel/base/arithmetic.hpp"

namespace arch {

using namespace x86;

namespace {

constexpr std::uint64_t second = 1'000'000'000;

// Lets some time pass without touching a device: emulators pay dearly for each access to one.
void spin(unsigned steps) {
  [[maybe_unused]] volatile unsigned step;
  for (unsigned i = 0; i < steps; ++i) step = i;
}

}  // namespace

void start_clock() {
  constexpr std::uint64_t stamps = 10'000'000;  // some milliseconds
  start_timer(0xffffffff);
  const std::uint64_t first_count = timer_count();
  const std::uint64_t begin = rdtsc();
  while (rdtsc() - begin < stamps) spin(500);
  const std::uint64_t last_count = timer_count();
  board.clock.timer_hertz = reprise::scale(first_count - last_count, second, rdtsc() - begin);
  stop_timer();
  board.clock.entry_stamp += rdtsc() - begin;
}

std::uint64_t timer_frequency() { return board.clock.timer_hertz; }

void set_clock(std::uint64_t stamp_hertz, std::uint64_t timer_hertz, std::uint64_t stamp) {
  board.clock = {.entry_stamp = rdtsc() - stamp,
                 .nanoseconds_per_tick = (second << 32) / stamp_hertz,
                 .timer_hertz = timer_hertz};
}

reprise::Nanoseconds now() {
  __extension__ using Wide = unsigned __int128;
  return reprise::Nanoseconds{
      static_cast<std::uint64_t>((Wide{time_stamp()} * board.clock.nanoseconds_per_tick) >> 32)};
}

std::uint64_t time_stamp() { return rdtsc() - board.clock.entry_stamp; }

void x86::note_kernel_entry() { board.clock.entry_stamp = rdtsc(); }

}  // namespace arch
