// QEMU's TCG with -icount shift=N: virtual time, and so the time-stamp counter and the local APIC's
// timer, is the number of instructions executed, the kernel's among them, 2^N ticks each. A stint's
// count is the difference of two time stamps, and the timer is the overflow. What of that is the
// kernel's own way into ring 3 and back is the same each time, and found by init's test; wherever
// one of these clocks is anything else, it is refused.
#include <optional>

#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/parts.hpp"

namespace arch::x86 {
namespace {

class Icount final : public CounterBackEnd {
public:
  [[nodiscard]] bool start() override {
    rate_ = ticks_of_two_instructions() / 2;
    return rate_ != 0;
  }

  // The time that arm_timer() has set goes on; if it is over first, it stays the timer's.
  void enter(std::uint64_t n) override {
    armed_ = false;
    if (n != 0) {
      time_left_ = timer_left();
      armed_ = !time_left_ || *time_left_ > n * rate_;
      if (armed_) start_timer(n * rate_);
    }
    begin_ = rdtsc();
  }

  Stint left(std::uint64_t reason) override {
    const std::uint64_t ticks = rdtsc() - begin_, count = ticks / rate_;
    if (!armed_) return {count, false};
    stop_timer();
    const bool overflow = reason == timer_vector;
    if (overflow) end_of_interrupt();
    const std::uint64_t least = least_left * rate_;
    if (time_left_) start_timer(*time_left_ > ticks + least ? *time_left_ - ticks : least);
    if (timer_interrupt_waits()) {  // too late: it would end the next stint before it begins
      sti_nop();
      cli();
    }
    return {count, overflow};
  }

private:
  static constexpr std::uint64_t least_left = 1000;  // instructions; left() takes fewer
  std::uint64_t rate_ = 1;                           // ticks an instruction
  bool armed_ = false;
  std::optional<std::uint64_t> time_left_;
  std::uint64_t begin_ = 0;
};

constinit Icount counter_by_time;

}  // namespace

CounterBackEnd& icount() { return counter_by_time; }

}  // namespace arch::x86
