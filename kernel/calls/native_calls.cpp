#include "kernel/calls/native_calls.hpp"

#include <array>
#include <span>

#include "arch/machine.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/base/memory_map.hpp"
#include "kernel/calls/exception_frame.hpp"
#include "kernel/console/line.hpp"

namespace reprise {
namespace {

using arch::Register;

constexpr std::uint64_t max_log_bytes = 65536;
constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;

std::int64_t code_of(MemoryError error) {
  switch (error) {
    case MemoryError::BadRange:
    case MemoryError::NotMapped:
      return -REPRISE_BAD_ADDRESS;
    case MemoryError::Occupied:
      return -REPRISE_OCCUPIED;
    case MemoryError::Exhausted:
      break;
  }
  return -REPRISE_NO_MEMORY;
}

std::optional<arch::Permissions> permissions_of(std::uint64_t protection) {
  constexpr std::uint64_t known =
      REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE | REPRISE_PROTECT_EXECUTE;
  const arch::Permissions permissions{.read = protection != 0,
                                      .write = (protection & REPRISE_PROTECT_WRITE) != 0,
                                      .execute = (protection & REPRISE_PROTECT_EXECUTE) != 0};
  if ((protection & ~known) != 0 || (permissions.write && permissions.execute)) {
    return std::nullopt;
  }
  return permissions;
}

}  // namespace

NativeCalls::NativeCalls(ConsoleInput& input)
    : input_{input},
      wall_at_entry_{arch::wall_clock_seconds() * nanoseconds_per_second - arch::now().value()} {}

std::optional<NativeCalls::Ending> NativeCalls::serve(Process& process) {
  arch::UserState& state = process.registers();
  const std::uint64_t number = state[Register::Rax];
  const Arguments arguments{state[Register::Rdi], state[Register::Rsi], state[Register::Rdx],
                            state[Register::R10]};
  if (number == REPRISE_EXIT) return Ending{static_cast<std::uint8_t>(arguments.a), std::nullopt};
  if (number == REPRISE_REFUSE && arguments.a < static_cast<std::uint64_t>(Error::count)) {
    return Ending{status_refused, static_cast<Error>(arguments.a)};
  }
  process.status = ProcessStatus::Ready;
  const Answer result = answer(process, number, arguments);
  const bool registers_replaced = number == REPRISE_RESUME && result == 0;
  if (process.status != ProcessStatus::Reading && !registers_replaced) {
    state[Register::Rax] = static_cast<std::uint64_t>(result);
  }
  return std::nullopt;
}

NativeCalls::Answer NativeCalls::answer(Process& process, std::uint64_t number,
                                        const Arguments& arguments) {
  switch (number) {
    case REPRISE_LOG:
      return log(process, arguments);
    case REPRISE_MAP:
      return map(process, arguments);
    case REPRISE_MAP_FILE:
      return map_file(process, arguments);
    case REPRISE_UNMAP:
      return unmap(process, arguments);
    case REPRISE_PROTECT:
      return protect(process, arguments);
    case REPRISE_SET_BASE:
      return set_base(process, arguments);
    case REPRISE_TIME:
      return time(arguments);
    case REPRISE_SLEEP:
      return sleep(process, arguments);
    case REPRISE_YIELD:
      return 0;  // the PE has ended: the next process has its turn anyway
    case REPRISE_READ:
      return read(process, arguments);
    case REPRISE_ENTROPY:
      return static_cast<Answer>(arch::entropy() >> 1);
    case REPRISE_SET_HANDLER:
      return set_handler(process, arguments);
    case REPRISE_RESUME:
      return resume(process, arguments);
    case REPRISE_REFUSE:
      return -REPRISE_BAD_ARGUMENT;
    case REPRISE_SELF:
      return static_cast<Answer>(process.id());
    default:
      return -REPRISE_NO_SUCH_CALL;
  }
}

NativeCalls::Answer NativeCalls::log(Process& process, const Arguments& arguments) {
  const std::uint64_t size = arguments.b < max_log_bytes ? arguments.b : max_log_bytes;
  if (!process.space().readable(UserAddr{arguments.a}, size)) return -REPRISE_BAD_ADDRESS;
  std::array<char, 256> chunk;
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t left = size - done;
    const std::size_t count = left < chunk.size() ? left : chunk.size();
    const std::span text = std::span{chunk}.first(count);
    if (!process.space().read(UserAddr{arguments.a + done}, std::as_writable_bytes(text))) {
      return -REPRISE_BAD_ADDRESS;
    }
    print_for_program({text.data(), text.size()});
    done += count;
  }
  return static_cast<Answer>(size);
}

NativeCalls::Answer NativeCalls::map(Process& process, const Arguments& arguments) {
  const auto range = PageRange::of(UserAddr{arguments.a}, arguments.b);
  if (!range) return code_of(range.error());
  const auto permissions = permissions_of(arguments.c);
  if (!permissions || (arguments.d & ~std::uint64_t{REPRISE_MAP_REPLACE}) != 0) {
    return -REPRISE_BAD_ARGUMENT;
  }
  const Existing existing =
      (arguments.d & REPRISE_MAP_REPLACE) != 0 ? Existing::Replace : Existing::Refuse;
  const auto mapped = process.space().map_zero(range.value(), *permissions, existing);
  return mapped ? 0 : code_of(mapped.error());
}

// Only whole pages of the file: its last one may hold what is not the file's.
NativeCalls::Answer NativeCalls::map_file(Process& process, const Arguments& arguments) {
  const auto range = PageRange::of(UserAddr{arguments.a}, arguments.b);
  if (!range) return code_of(range.error());
  const auto permissions = permissions_of(arguments.c);
  const std::uint64_t offset = arguments.d, file_bytes = process.program_file.size;
  if (!permissions || offset % page_size != 0 || offset > file_bytes ||
      arguments.b > file_bytes - offset) {
    return -REPRISE_BAD_ARGUMENT;
  }
  const FrameNumber first = frame_of(process.program_file.start + offset);
  const auto mapped = process.space().map_frames(range.value(), first, *permissions);
  return mapped ? 0 : code_of(mapped.error());
}

NativeCalls::Answer NativeCalls::unmap(Process& process, const Arguments& arguments) {
  const auto range = PageRange::of(UserAddr{arguments.a}, arguments.b);
  if (!range) return code_of(range.error());
  process.space().unmap(range.value());
  return 0;
}

NativeCalls::Answer NativeCalls::protect(Process& process, const Arguments& arguments) {
  const auto range = PageRange::of(UserAddr{arguments.a}, arguments.b);
  if (!range) return code_of(range.error());
  const auto permissions = permissions_of(arguments.c);
  if (!permissions) return -REPRISE_BAD_ARGUMENT;
  const auto done = process.space().protect(range.value(), *permissions);
  return done ? 0 : code_of(done.error());
}

NativeCalls::Answer NativeCalls::set_base(Process& process, const Arguments& arguments) {
  if (arguments.a > REPRISE_BASE_GS) return -REPRISE_BAD_ARGUMENT;
  if (arguments.b >= user_high) return -REPRISE_BAD_ADDRESS;
  const Register base = arguments.a == REPRISE_BASE_FS ? Register::FsBase : Register::GsBase;
  process.registers()[base] = arguments.b;
  return 0;
}

NativeCalls::Answer NativeCalls::time(const Arguments& arguments) {
  switch (arguments.a) {
    case REPRISE_CLOCK_MONOTONIC:
      return static_cast<Answer>(arch::now().value());
    case REPRISE_CLOCK_WALL:
      return static_cast<Answer>(wall_at_entry_ + arch::now().value());
    default:
      return -REPRISE_BAD_ARGUMENT;
  }
}

NativeCalls::Answer NativeCalls::sleep(Process& process, const Arguments& arguments) {
  process.wake_at = Nanoseconds{arguments.a};
  process.status = ProcessStatus::Sleeping;
  return 0;
}

NativeCalls::Answer NativeCalls::read(Process& process, const Arguments& arguments) {
  if ((arguments.c & ~std::uint64_t{REPRISE_READ_NOW}) != 0) return -REPRISE_BAD_ARGUMENT;
  std::array<char, 256> chunk;
  const std::size_t size = arguments.b < chunk.size() ? arguments.b : chunk.size();
  if (!process.space().writable(UserAddr{arguments.a}, size)) return -REPRISE_BAD_ADDRESS;
  if (size == 0) return 0;
  input_.poll();
  if (input_.empty()) {
    if (input_.at_end()) return 0;
    if ((arguments.c & REPRISE_READ_NOW) != 0) return -REPRISE_WOULD_BLOCK;
    process.status = ProcessStatus::Reading;
    return 0;
  }
  const std::span text = std::span{chunk}.first(input_.take(std::span{chunk}.first(size)));
  const auto written = process.space().write(UserAddr{arguments.a}, std::as_bytes(text));
  return written ? static_cast<Answer>(text.size()) : code_of(written.error());
}

NativeCalls::Answer NativeCalls::set_handler(Process& process, const Arguments& arguments) {
  if (arguments.b >= user_high) return -REPRISE_BAD_ADDRESS;
  switch (arguments.a) {
    case REPRISE_HANDLER_SYSCALL:
      process.syscall_entry = UserAddr{arguments.b};
      return 0;
    case REPRISE_HANDLER_EXCEPTION:
      if (arguments.b != 0 &&
          !process.space().writable(UserAddr{arguments.c}, sizeof(reprise_frame))) {
        return -REPRISE_BAD_ADDRESS;
      }
      process.exception_handler = {UserAddr{arguments.b}, UserAddr{arguments.c}};
      return 0;
    default:
      return -REPRISE_BAD_ARGUMENT;
  }
}

NativeCalls::Answer NativeCalls::resume(Process& process, const Arguments& arguments) {
  reprise_frame frame;
  const std::span bytes = std::as_writable_bytes(std::span{&frame, 1});
  if (!process.space().read(UserAddr{arguments.a}, bytes)) return -REPRISE_BAD_ADDRESS;
  if (frame.rip >= user_high) return -REPRISE_BAD_ARGUMENT;
  set_registers(process.registers(), frame);
  return 0;
}

}  // namespace reprise
