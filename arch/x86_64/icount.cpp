// QEMU's TCG with -icount shift=N: virtual time, and so the time-stamp counter and the local APIC's
// timer, is the number of instructions executed, the kernel's among them, 2^N ticks each. A stint's
// count is the difference of two time stamps, and the timer is the overflow. What of that is the
// kernel's own way into ring 3 and back is the same each time, and found by init's test; wherever
// one of these clocks is anything else, it is refused.
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/timer.hpp"

namespace arch::x86 {
namespace {

constexpr std::uint64_t least_left = 1000;  // instructions; left() takes fewer
constexpr std::uint64_t longest_way = 1000;

// The time that arm_timer() has set goes on, less what the stint took.
void return_timer(const IcountState& state, std::uint64_t ticks) {
  const std::uint64_t least = least_left * state.rate;
  if (!state.time_left) return;
  start_timer(*state.time_left > ticks + least ? *state.time_left - ticks : least);
}

// Comes too late: it would end the next stint before it begins.
void let_late_overflow_in() {
  if (!timer_interrupt_waits()) return;
  sti_nop();
  cli();
}

class Icount final : public CounterBackEnd {
public:
  [[nodiscard]] bool start() const override {
    const std::uint64_t rate = ticks_of_two_instructions() / 2;
    this_cpu().icount.rate = rate;
    return rate != 0;
  }

  // If the time that arm_timer() has set is over first, the interrupt stays the timer's.
  void enter(std::uint64_t n) const override {
    IcountState& state = this_cpu().icount;
    state.armed = false;
    if (n != 0) {
      state.time_left = timer_left();
      state.armed = !state.time_left || *state.time_left > n * state.rate;
      if (state.armed) start_timer(n * state.rate);
    }
    state.begin = rdtsc();
  }

  Stint left(std::uint64_t reason) const override {
    const std::uint64_t ticks = rdtsc() - this_cpu().icount.begin;
    return left_after(reason, ticks, ticks / this_cpu().icount.rate);
  }

  // The way from the timer's start to the guest is always the same, and each overflow shows how far
  // from the asked number it came.
  void enter_guest(std::uint64_t n) const override {
    IcountState& state = this_cpu().icount;
    state.asked = n;
    enter(n == 0 ? 0 : n + state.way_to_guest);
  }

  Stint left_guest(std::uint64_t reason, const GuestStamps& stamps) const override {
    IcountState& state = this_cpu().icount;
    const std::uint64_t ticks = rdtsc() - state.begin;
    const std::uint64_t between = (stamps.exit - stamps.entry) / state.rate;
    // QEMU 7.2 counts an INT n each time.
    const std::uint64_t not_the_guests = instructions_of_switch + (stamps.repeats_last ? 1 : 0);
    const std::uint64_t count = between > not_the_guests ? between - not_the_guests : 0;
    const Stint stint = left_after(reason, ticks, count);
    if (stint.overflow) learn_way(state, count);
    return stint;
  }

private:
  // A timer interrupt that was left over comes long before it is due, and shows nothing.
  static void learn_way(IcountState& state, std::uint64_t count) {
    if (state.asked > count + longest_way) return;
    const std::uint64_t needed = state.way_to_guest + state.asked;
    state.way_to_guest = needed > count ? needed - count : 0;
  }

  [[nodiscard]] static Stint left_after(std::uint64_t reason, std::uint64_t ticks,
                                        std::uint64_t count) {
    IcountState& state = this_cpu().icount;
    if (!state.armed) return {count, false};
    stop_timer();
    const bool overflow = reason == timer_vector;
    if (overflow) end_of_interrupt();
    return_timer(state, ticks);
    let_late_overflow_in();
    return {count, overflow};
  }
};

constexpr Icount counter_by_time{};

}  // namespace

const CounterBackEnd& icount() { return counter_by_time; }

}  // namespace arch::x86
