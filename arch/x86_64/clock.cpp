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

// `rate` is times 2^32.
std::uint64_t at_rate(std::uint64_t amount, std::uint64_t rate) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((Wide{amount} * rate) >> 32);
}

void set_timer_rate(std::uint64_t hertz) {
  board.clock.timer_hertz = hertz;
  board.clock.timer_ticks_per_nanosecond = reprise::scale(hertz, std::uint64_t{1} << 32, second);
}

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
  set_timer_rate(reprise::scale(first_count - last_count, second, rdtsc() - begin));
  stop_timer();
  board.clock.entry_stamp += rdtsc() - begin;
}

std::uint64_t timer_frequency() { return board.clock.timer_hertz; }

void set_clock(std::uint64_t stamp_hertz, std::uint64_t timer_hertz, std::uint64_t stamp) {
  board.clock.entry_stamp = rdtsc() - stamp;
  board.clock.nanoseconds_per_tick = (second << 32) / stamp_hertz;
  set_timer_rate(timer_hertz);
}

reprise::Nanoseconds now() {
  return reprise::Nanoseconds{at_rate(time_stamp(), board.clock.nanoseconds_per_tick)};
}

std::uint64_t time_stamp() { return rdtsc() - board.clock.entry_stamp; }

std::uint64_t x86::timer_ticks(reprise::Nanoseconds duration) {
  return at_rate(duration.value(), board.clock.timer_ticks_per_nanosecond);
}

void x86::note_kernel_entry() { board.clock.entry_stamp = rdtsc(); }

}  // namespace arch
