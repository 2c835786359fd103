// Clocks and sleeping.
#include "user/linux/clock.hpp"

#include "user/linux/calls.hpp"
#include "user/linux/process.hpp"
#include "user/linux/waiting.hpp"

namespace personality {

namespace {

enum ClockId {
  Realtime = 0,
  Monotonic = 1,
  ProcessTime = 2,
  ThreadTime = 3,
  MonotonicRaw = 4,
  RealtimeCoarse = 5,
  MonotonicCoarse = 6,
  BootTime = 7,
  Tai = 11
};

// As if the program had run once: what running twice takes is not its own.
std::uint64_t processor_nanoseconds() { return native::usage(REPRISE_USAGE_TIME); }

bool read_clock(int clock, std::uint64_t& nanoseconds) {
  switch (clock) {
    case Realtime:
    case RealtimeCoarse:
    case Tai: nanoseconds = wall_nanoseconds(); return true;
    case Monotonic:
    case MonotonicRaw:
    case MonotonicCoarse:
    case BootTime: nanoseconds = monotonic_nanoseconds(); return true;
    case ProcessTime:
    case ThreadTime: nanoseconds = processor_nanoseconds(); return true;
    default: return false;
  }
}

// Writes the time that is left when a signal ended the sleep.
Value sleep(const TimeSpec& time, UserAddress left) {
  if (!is_valid(time)) return fail(Errno::Invalid);
  const std::uint64_t length = to_nanoseconds(time);
  if (length == 0) return 0;
  const std::uint64_t end = monotonic_nanoseconds() + length;
  if (sleep_until(end) == Woken::ByTime) return 0;
  const std::uint64_t now = monotonic_nanoseconds();
  const TimeSpec rest = to_timespec(end > now ? end - now : 0);
  if (!left.is_null() && !write_user(left, rest)) return fail(Errno::Fault);
  return fail(Errno::Interrupted);
}

}  // namespace

Value call_clock_gettime(Call& call) {
  std::uint64_t now = 0;
  if (!read_clock(call.integer(0), now)) return fail(Errno::Invalid);
  return write_user(call.user(1), to_timespec(now)) ? 0 : fail(Errno::Fault);
}

Value call_clock_getres(Call& call) {
  if (call.integer(0) < 0 || call.integer(0) > Tai) return fail(Errno::Invalid);
  if (call.user(1).is_null()) return 0;
  return write_user(call.user(1), TimeSpec{0, 1}) ? 0 : fail(Errno::Fault);
}

Value call_clock_nanosleep(Call& call) {
  constexpr std::uint64_t absolute = 1;
  TimeSpec time{};
  std::uint64_t now = 0;
  if (!read_user(call.user(2), time)) return fail(Errno::Fault);
  if ((call.argument[1] & absolute) == 0) return sleep(time, call.user(3));
  if (!is_valid(time) || !read_clock(call.integer(0), now)) return fail(Errno::Invalid);
  const std::uint64_t end = to_nanoseconds(time);
  return end <= now ? 0 : sleep(to_timespec(end - now), UserAddress(0));
}

Value call_nanosleep(Call& call) {
  TimeSpec time{};
  return read_user(call.user(0), time) ? sleep(time, call.user(1)) : fail(Errno::Fault);
}

Value call_gettimeofday(Call& call) {
  const std::uint64_t now = wall_nanoseconds();
  const TimeSpec time = to_timespec(now);
  const TimeVal value{time.seconds, time.nanoseconds / 1000};
  const bool time_written = call.user(0).is_null() || write_user(call.user(0), value);
  const bool zone_written = call.user(1).is_null() || clear_user(call.user(1), 8);
  return time_written && zone_written ? 0 : fail(Errno::Fault);
}

Value call_time(Call& call) {
  const auto seconds = static_cast<Value>(wall_nanoseconds() / second_nanoseconds);
  if (!call.user(0).is_null() && !write_user(call.user(0), seconds)) return fail(Errno::Fault);
  return seconds;
}

Value call_times(Call& call) {
  constexpr std::uint64_t tick = 10'000'000;  // 100 a second
  const std::uint64_t now = monotonic_nanoseconds();
  const std::uint64_t ticks[4] = {processor_nanoseconds() / tick, 0, 0, 0};
  if (!call.user(0).is_null() && !write_user(call.user(0), ticks)) return fail(Errno::Fault);
  return static_cast<Value>(now / tick);
}

Value call_getrusage(Call& call) {
  struct Usage {
    TimeVal user, system;
    std::int64_t counts[14];
  } usage{};
  constexpr int children = -1, thread = 1;
  if (call.integer(0) < children || call.integer(0) > thread) return fail(Errno::Invalid);
  if (call.integer(0) != children) {
    const TimeSpec time = to_timespec(processor_nanoseconds());
    usage.user = {time.seconds, time.nanoseconds / 1000};
  }
  return write_user(call.user(1), usage) ? 0 : fail(Errno::Fault);
}

}  // namespace personality
