// Resource limits, and what sysinfo reports about the machine.
#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/descriptors.hpp"
#include "user/linux/process.hpp"

namespace personality {

namespace {

constexpr std::uint64_t unlimited = ~0ull;
enum Resource { StackBytes = 3, CoreBytes = 4, Files = 7, resources = 16 };

struct Limit {
  std::uint64_t soft, hard;
};

Limit limit_of(std::uint64_t resource) {
  const reprise_start& start = process().start;
  switch (resource) {
    case StackBytes: return {start.stack_high - start.stack_low, unlimited};
    case CoreBytes: return {0, unlimited};
    case Files: return {descriptor_limit, descriptor_limit};
    default: return {unlimited, unlimited};
  }
}

Value get_limit(std::uint64_t resource, UserAddress to) {
  if (resource >= resources) return fail(Errno::Invalid);
  return write_user(to, limit_of(resource)) ? 0 : fail(Errno::Fault);
}

// Accepts a sound limit without effect: all limits are fixed at the start.
Value set_limit(std::uint64_t resource, UserAddress from) {
  Limit limit{};
  if (resource >= resources) return fail(Errno::Invalid);
  if (!read_user(from, limit)) return fail(Errno::Fault);
  return limit.soft > limit.hard ? fail(Errno::Invalid) : 0;
}

}  // namespace

Value call_getrlimit(Call& call) { return get_limit(call.argument[0], call.user(1)); }
Value call_setrlimit(Call& call) { return set_limit(call.argument[0], call.user(1)); }

Value call_prlimit64(Call& call) {
  const std::int64_t target = call.integer(0);
  if (target != 0 && target != static_cast<std::int64_t>(process_number())) {
    return fail(Errno::NoProcess);
  }
  Value result = 0;
  if (!call.user(3).is_null()) result = get_limit(call.argument[1], call.user(3));
  if (result == 0 && !call.user(2).is_null()) result = set_limit(call.argument[1], call.user(2));
  return result;
}

Value call_sysinfo(Call& call) {
  struct Information {
    std::int64_t uptime;
    std::uint64_t loads[3], total, free, shared, buffers, total_swap, free_swap;
    std::uint16_t processes, padding;
    std::uint64_t total_high, free_high;
    std::uint32_t unit;
  } information{};
  information.uptime = static_cast<std::int64_t>(monotonic_nanoseconds() / second_nanoseconds);
  information.total = native::usage(REPRISE_USAGE_MEMORY);
  information.free = native::usage(REPRISE_USAGE_AVAILABLE);
  information.processes = 1;
  information.unit = 1;
  return write_user(call.user(0), information) ? 0 : fail(Errno::Fault);
}

}  // namespace personality
