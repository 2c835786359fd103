// alarm, setitimer, getitimer.
#include "user/linux/timers.hpp"

#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/log.hpp"
#include "user/linux/signals.hpp"

namespace personality {

namespace {

struct Timer {
  std::uint64_t expiry, interval;  // nanoseconds; never, 0: not set, not repeated
};
constinit Timer timer{.expiry = never, .interval = 0};

struct TimerValue {  // struct itimerval
  TimeVal interval, left;
};
constexpr int real_timer = 0, last_timer = 2;

void set(std::uint64_t expiry, std::uint64_t interval) {
  const bool changes = timer.expiry != expiry;
  timer = {.expiry = expiry, .interval = interval};
  if (changes) native::interrupt_at(expiry);
}

TimeVal to_timeval(std::uint64_t nanoseconds) {
  const TimeSpec time = to_timespec(nanoseconds);
  return {time.seconds, time.nanoseconds / 1000};
}

bool is_valid(const TimeVal& time) {
  return time.seconds >= 0 && time.microseconds >= 0 && time.microseconds < 1'000'000;
}

std::uint64_t to_nanoseconds(const TimeVal& time) {
  return personality::to_nanoseconds(TimeSpec{time.seconds, time.microseconds * 1000});
}

// A timer that is due is not at 0 yet: its signal still has to come.
std::uint64_t left(std::uint64_t now) {
  if (timer.expiry == never) return 0;
  return timer.expiry > now ? timer.expiry - now : 1000;
}

// The timers of processor time would need an account that the program cannot be stopped by.
Value check(int which) {
  static constinit Once said{};
  if (which == real_timer) return 0;
  if (which > real_timer && which <= last_timer && said.first()) {
    Line() << "timers of processor time (ITIMER_VIRTUAL, ITIMER_PROF) are refused: EINVAL";
  }
  return fail(Errno::Invalid);
}

}  // namespace

std::uint64_t timer_expiry() { return timer.expiry; }

void expire_timer(std::uint64_t now) {
  if (timer.expiry > now) return;
  raise_signal(signal_number::alarm);
  std::uint64_t next = never;
  if (timer.interval != 0) {
    const std::uint64_t missed = (now - timer.expiry) / timer.interval;
    next = timer.expiry + (missed + 1) * timer.interval;
  }
  set(next, timer.interval);
}

Value call_alarm(Call& call) {
  const std::uint64_t now = monotonic_nanoseconds();
  const std::uint64_t seconds = call.argument[0] & 0xffffffff;
  const std::uint64_t rest = left(now);
  set(seconds == 0 ? never : now + seconds * second_nanoseconds, 0);
  // As Linux rounds: to the nearest second, but not to 0.
  const std::uint64_t rounded = (rest + second_nanoseconds / 2) / second_nanoseconds;
  return static_cast<Value>(rest != 0 && rounded == 0 ? 1 : rounded);
}

Value call_getitimer(Call& call) {
  if (const Value result = check(call.integer(0)); result < 0) return result;
  const TimerValue value{.interval = to_timeval(timer.interval),
                         .left = to_timeval(left(monotonic_nanoseconds()))};
  return write_user(call.user(1), value) ? 0 : fail(Errno::Fault);
}

Value call_setitimer(Call& call) {
  if (const Value result = check(call.integer(0)); result < 0) return result;
  TimerValue wanted{};  // Linux takes no address for a timer that is not set
  if (!call.user(1).is_null() && !read_user(call.user(1), wanted)) return fail(Errno::Fault);
  if (!is_valid(wanted.interval) || !is_valid(wanted.left)) return fail(Errno::Invalid);
  const std::uint64_t now = monotonic_nanoseconds();
  const TimerValue old{.interval = to_timeval(timer.interval), .left = to_timeval(left(now))};
  const std::uint64_t length = to_nanoseconds(wanted.left);
  set(length == 0 ? never : now + length, to_nanoseconds(wanted.interval));
  const bool written = call.user(2).is_null() || write_user(call.user(2), old);
  return written ? 0 : fail(Errno::Fault);
}

}  // namespace personality
