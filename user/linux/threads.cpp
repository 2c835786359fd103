// Threads and processes. There is one of each, and new ones are refused. So no other thread can
// wake a futex.
#include "user/linux/call_names.hpp"
#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/ending.hpp"
#include "user/linux/log.hpp"
#include "user/linux/process.hpp"

namespace personality {

Value call_set_tid_address(Call&) { return static_cast<Value>(process_number()); }

Value call_futex(Call& call) {
  enum { Wait = 0, Wake = 1, WaitBitset = 9, WakeBitset = 10 };
  constexpr std::uint64_t options = 0x180;  // private, real-time clock
  switch (call.argument[1] & ~options) {
    case Wake:
    case WakeBitset: return 0;
    case Wait:
    case WaitBitset: break;
    default: return fail(Errno::NoSystemCall);
  }
  std::uint32_t value = 0;
  if (!read_user(call.user(0), value)) return fail(Errno::Fault);
  if (value != static_cast<std::uint32_t>(call.argument[2])) return fail(Errno::Again);
  // Nobody can change the value. Report that the time is over, or let the caller look again.
  return fail(call.user(3).is_null() ? Errno::Again : Errno::TimedOut);
}

Value call_new_process(Call& call) {
  static constinit bool reported = false;
  if (!reported) {
    Line() << call_name(call.number)
           << " is refused (ENOSYS): a Linux program here is one process with one thread";
  }
  reported = true;
  return fail(Errno::NoSystemCall);
}

Value call_wait(Call&) { return fail(Errno::NoChild); }

Value call_exit(Call& call) { end_process(call.integer(0)); }

}  // namespace personality
