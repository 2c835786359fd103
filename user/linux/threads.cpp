// Threads and processes. There is one of each, and new ones are refused. So no other thread can
// wake a futex.
#include "user/linux/call_names.hpp"
#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/ending.hpp"
#include "user/linux/log.hpp"
#include "user/linux/process.hpp"
#include "user/linux/timers.hpp"
#include "user/linux/waiting.hpp"

namespace personality {

Value call_set_tid_address(Call&) { return static_cast<Value>(process_number()); }

namespace {

// Monotonic nanoseconds at which a futex's wait is over. FUTEX_WAIT has a duration, by the
// monotonic clock; FUTEX_WAIT_BITSET a time, by the clock that its caller chose.
Value find_end(const Call& call, bool is_time, std::uint64_t& end) {
  constexpr std::uint64_t real_time = 0x100;
  TimeSpec time{};
  end = never;
  if (call.user(3).is_null()) return 0;
  if (!read_user(call.user(3), time)) return fail(Errno::Fault);
  if (!is_valid(time)) return fail(Errno::Invalid);
  const std::uint64_t now = monotonic_nanoseconds(), length = to_nanoseconds(time);
  if (!is_time) {
    end = now + length;
  } else if ((call.argument[1] & real_time) == 0) {
    end = length;
  } else {
    const std::uint64_t wall = wall_nanoseconds();
    end = length > wall ? now + (length - wall) : now;
  }
  return 0;
}

Value wait_on_futex(const Call& call, bool is_time) {
  std::uint32_t value = 0;
  std::uint64_t end = 0;
  if (call.argument[0] % sizeof value != 0) return fail(Errno::Invalid);
  if (is_time && static_cast<std::uint32_t>(call.argument[5]) == 0) return fail(Errno::Invalid);
  if (const Value result = find_end(call, is_time, end); result < 0) return result;
  if (!read_user(call.user(0), value)) return fail(Errno::Fault);
  if (value != static_cast<std::uint32_t>(call.argument[2])) return fail(Errno::Again);
  if (end == never) return wait_for_signal("a lock that nobody can open", Interrupted::MayRestart);
  return fail(sleep_until(end) == Woken::ByTime ? Errno::TimedOut : Errno::Interrupted);
}

}  // namespace

Value call_futex(Call& call) {
  enum { Wait = 0, Wake = 1, WaitBitset = 9, WakeBitset = 10 };
  constexpr std::uint64_t options = 0x180;  // private, real-time clock
  switch (call.argument[1] & ~options) {
    case Wake:
    case WakeBitset: return 0;
    case Wait: return wait_on_futex(call, false);
    case WaitBitset: return wait_on_futex(call, true);
    default: return fail(Errno::NoSystemCall);
  }
}

// A library that is told EAGAIN for a thread does its work with those that it has, or reports that
// threads are short. For a process ENOSYS is said at once: a shell tries EAGAIN again for long.
Value call_clone(Call& call) {
  constexpr std::uint64_t thread = 0x10000;  // CLONE_THREAD
  constexpr std::uint64_t clone3 = 435;      // takes its flags from a structure
  static constinit Once said{};
  std::uint64_t flags = call.argument[0];
  if (call.number == clone3 && !read_user(call.user(0), flags)) return fail(Errno::Fault);
  if ((flags & thread) == 0) return call_new_process(call);
  if (said.first()) {
    Line() << "a thread is refused (EAGAIN): a Linux program here is one process with one thread";
  }
  return fail(Errno::Again);
}

Value call_new_process(Call& call) {
  static constinit Once said{};
  if (said.first()) {
    Line() << call_name(call.number)
           << " is refused (ENOSYS): a Linux program here is one process with one thread";
  }
  return fail(Errno::NoSystemCall);
}

Value call_wait(Call&) { return fail(Errno::NoChild); }

Value call_exit(Call& call) { end_process(call.integer(0)); }

}  // namespace personality
