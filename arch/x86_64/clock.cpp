// Time: the time-stamp counter. All that is found out here is how fast the local APIC's timer runs
// against it; how fast that is, init finds out and says (user/init/clock_rates.cpp). Until then the
// time stamp is taken to run at 1 GHz: all works, in units that are not quite nanoseconds.
#include "arch/machine.hpp"
#include "arch/x86_64/parts.hpp"
#include "kernel/base/arithmetic.hpp"

namespace arch {

using namespace x86;

namespace {

constexpr std::uint64_t second = 1'000'000'000;

constinit std::uint64_t entry_stamp = 0;
constinit std::uint64_t nanoseconds_per_tick = std::uint64_t{1} << 32;  // times 2^32
constinit std::uint64_t timer_hertz = second;

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
  timer_hertz = reprise::scale(first_count - last_count, second, rdtsc() - begin);
  stop_timer();
  entry_stamp += rdtsc() - begin;
}

std::uint64_t timer_frequency() { return timer_hertz; }

void set_clock(std::uint64_t stamp_hertz, std::uint64_t new_timer_hertz, std::uint64_t stamp) {
  nanoseconds_per_tick = (second << 32) / stamp_hertz;
  timer_hertz = new_timer_hertz;
  entry_stamp = rdtsc() - stamp;
}

reprise::Nanoseconds now() {
  __extension__ using Wide = unsigned __int128;
  return reprise::Nanoseconds{
      static_cast<std::uint64_t>((Wide{time_stamp()} * nanoseconds_per_tick) >> 32)};
}

std::uint64_t time_stamp() { return rdtsc() - entry_stamp; }

void x86::note_kernel_entry() { entry_stamp = rdtsc(); }

}  // namespace arch
