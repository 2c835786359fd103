// Resource limits, and what sysinfo reports about the machine.
#include "user/linux/limits.hpp"

#include "user/linux/calls.hpp"
#include "user/linux/clock.hpp"
#include "user/linux/descriptors.hpp"
#include "user/linux/log.hpp"
#include "user/linux/memory.hpp"
#include "user/linux/process.hpp"
#include "user/linux/signals.hpp"

namespace personality {

namespace {

constexpr std::uint64_t unlimited = ~0ull;
enum Resource {
  Time = 0,
  FileBytes = 1,
  DataBytes = 2,
  StackBytes = 3,
  Files = 7,
  AddressBytes = 9
};
constexpr std::uint64_t resources = 16;

struct Limit {
  std::uint64_t soft = unlimited, hard = unlimited;
};
// Those that no call asks for (RLIMIT_CORE, RLIMIT_NPROC and others) limit what does not exist
// here, or what Linux does not limit either (RLIMIT_RSS, and all of root's).
struct Limits {
  Limit of[resources];
  bool made;
};
constinit Limits limits{};

Limit& limit_of(std::uint64_t resource) {
  if (!limits.made) {
    const reprise_start& start = process().start;
    const std::uint64_t stack = start.stack_high - start.stack_low;
    limits.of[StackBytes] = {stack, stack};
    limits.of[Files] = {descriptor_limit, descriptor_limit};
    limits.made = true;
  }
  return limits.of[resource];
}

Value get_limit(std::uint64_t resource, UserAddress to) {
  if (resource >= resources) return fail(Errno::Invalid);
  return write_user(to, limit_of(resource)) ? 0 : fail(Errno::Fault);
}

Value refuse(std::uint64_t resource, std::string_view name) {
  static constinit Once said[resources] = {};
  if (said[resource].first()) Line() << "setrlimit of " << name << " is refused: EPERM";
  return fail(Errno::NotPermitted);
}

// What cannot be kept is refused. The stack has the size that the process was started with.
Value set_limit(std::uint64_t resource, UserAddress from) {
  Limit wanted{};
  if (resource >= resources) return fail(Errno::Invalid);
  if (!read_user(from, wanted)) return fail(Errno::Fault);
  if (wanted.soft > wanted.hard) return fail(Errno::Invalid);
  Limit& limit = limit_of(resource);
  switch (resource) {
    case Time:
      if (wanted.soft != unlimited) return refuse(resource, "RLIMIT_CPU");
      break;
    case DataBytes:
      if (wanted.soft != unlimited) return refuse(resource, "RLIMIT_DATA");
      break;
    case StackBytes:
      if (wanted.soft != limit.soft) return refuse(resource, "RLIMIT_STACK");
      break;
    case Files:
      if (wanted.hard > descriptor_limit) return refuse(resource, "RLIMIT_NOFILE beyond 1024");
      break;
    default: break;
  }
  limit = wanted;
  return 0;
}

// As far as the program's own mappings go: the stack, and what the loader has mapped.
std::uint64_t mapped_bytes() {
  const reprise_start& start = process().start;
  std::uint64_t bytes = start.stack_high - start.stack_low + start.file_bytes;
  for (std::size_t i = 0; i < regions().count(); ++i) {
    bytes += regions()[i].end - regions()[i].start;
  }
  return bytes;
}

}  // namespace

bool is_over_limit(std::uint64_t bytes) {
  const std::uint64_t limit = limit_of(AddressBytes).soft;
  if (limit == unlimited) return false;
  const std::uint64_t mapped = mapped_bytes();
  return mapped > limit || bytes > limit - mapped;
}

Value limit_file_size(std::uint64_t offset, std::uint64_t& bytes) {
  const std::uint64_t limit = limit_of(FileBytes).soft;
  if (bytes == 0 || limit == unlimited) return 0;
  if (offset >= limit) return exceed_file_size();
  if (bytes > limit - offset) bytes = limit - offset;
  return 0;
}

Value exceed_file_size() {
  raise_signal(signal_number::file_size);
  return fail(Errno::FileTooBig);
}

int open_file_limit() { return static_cast<int>(limit_of(Files).soft); }

Value call_getrlimit(Call& call) { return get_limit(call.argument[0], call.user(1)); }
Value call_setrlimit(Call& call) { return set_limit(call.argument[0], call.user(1)); }

Value call_prlimit64(Call& call) {
  const std::int64_t target = call.integer(0);
  if (target != 0 && target != static_cast<std::int64_t>(process_number())) {
    return fail(Errno::NoProcess);
  }
  if (call.argument[1] >= resources) return fail(Errno::Invalid);
  const Limit old = limit_of(call.argument[1]);
  Value result = 0;
  if (!call.user(2).is_null()) result = set_limit(call.argument[1], call.user(2));
  if (result < 0 || call.user(3).is_null()) return result;
  return write_user(call.user(3), old) ? 0 : fail(Errno::Fault);
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
