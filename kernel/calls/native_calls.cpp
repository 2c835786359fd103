#include "kernel/calls/calls.hpp"

#include <array>
#include <span>

#include "arch/boot_info.hpp"
#include "arch/clock.hpp"
#include "arch/entropy.hpp"
#include "arch/interrupts.hpp"
#include "arch/page_table.hpp"
#include "arch/physical_memory.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/base/memory_map.hpp"
#include "kernel/calls/exceptions.hpp"
#include "kernel/log/line.hpp"
#include "kernel/log/log.hpp"

namespace reprise {
namespace {

using arch::Register;

constexpr std::uint64_t max_device_write = 1 << 20;  // bytes; nobody else runs meanwhile
constexpr std::uint64_t most_refusals = 64;          // more than there are errors

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

std::int64_t exit(Call& call) {
  call.ends = static_cast<std::uint8_t>(call.a);
  return 0;
}

std::int64_t refuse(Call& call) {
  if (call.a >= most_refusals) return -REPRISE_BAD_ARGUMENT;
  call.process.report.refusal = call.a + 1;
  call.ends = status_refused;
  return 0;
}

std::int64_t log(Call& call) {
  const std::uint64_t size = smaller(call.b, REPRISE_LOG_BYTES);
  AddressSpace& space = call.process.space();
  if (!space.readable(UserAddr{call.a}, size)) return -REPRISE_BAD_ADDRESS;
  if ((call.c & REPRISE_LOG_LINES) != 0) go_to_margin();
  for (std::uint64_t done = 0; done < size;) {
    const auto piece = space.bytes_at(UserAddr{call.a + done}, size - done);
    print_for_program({reinterpret_cast<const char*>(piece.data()), piece.size()});
    done += piece.size();
  }
  return static_cast<std::int64_t>(size);
}

std::int64_t map(Call& call) {
  const auto range = PageRange::of(UserAddr{call.a}, call.b);
  const auto permissions = permissions_of(call.c);
  if (!range) return -REPRISE_BAD_ADDRESS;
  if (!permissions || (call.d & ~std::uint64_t{REPRISE_MAP_REPLACE}) != 0) {
    return -REPRISE_BAD_ARGUMENT;
  }
  if ((call.d & REPRISE_MAP_REPLACE) != 0) call.process.space().unmap(*range);
  return code_of(call.process.space().map_zero(*range, *permissions));
}

std::int64_t unmap(Call& call) {
  const auto range = PageRange::of(UserAddr{call.a}, call.b);
  if (!range) return -REPRISE_BAD_ADDRESS;
  call.process.space().unmap(*range);
  return 0;
}

std::int64_t protect(Call& call) {
  const auto range = PageRange::of(UserAddr{call.a}, call.b);
  const auto permissions = permissions_of(call.c);
  if (!range) return -REPRISE_BAD_ADDRESS;
  if (!permissions) return -REPRISE_BAD_ARGUMENT;
  return code_of(call.process.space().protect(*range, *permissions));
}

std::int64_t set_base(Call& call) {
  if (call.a > REPRISE_BASE_GS) return -REPRISE_BAD_ARGUMENT;
  if (call.b >= user_high) return -REPRISE_BAD_ADDRESS;
  call.process.registers()[call.a == REPRISE_BASE_FS ? Register::FsBase : Register::GsBase] =
      call.b;
  return 0;
}

std::int64_t time(Call&) { return static_cast<std::int64_t>(arch::now().value()); }

std::int64_t sleep(Call& call) {
  call.process.wake_at = Nanoseconds{call.a};
  call.process.status = ProcessStatus::Sleeping;
  return 0;
}

std::int64_t yield(Call& call) {
  call.process.turn.give_up();
  return 0;
}

std::int64_t log_read(Call& call) {
  if (!call.process.sends_log()) return -REPRISE_NOT_GRANTED;
  if (call.c >= Log::outputs) return -REPRISE_BAD_ARGUMENT;
  const std::uint64_t room = smaller(call.b, REPRISE_LOG_BYTES);
  if (const std::int64_t error = call.prepare(call.a, room); error != 0) return error;
  const auto text = kernel_log.read(call.process, call.c, room);
  static_cast<void>(call.process.space().write(UserAddr{call.a}, std::as_bytes(text)));
  return static_cast<std::int64_t>(text.size());
}

std::int64_t entropy(Call&) { return static_cast<std::int64_t>(arch::entropy() >> 1); }

std::int64_t set_handler(Call& call) {
  if (call.a > REPRISE_HANDLER_EXCEPTION) return -REPRISE_BAD_ARGUMENT;
  if (call.b >= user_high) return -REPRISE_BAD_ADDRESS;
  if (call.a == REPRISE_HANDLER_SYSCALL) {
    call.process.syscall_entry = UserAddr{call.b};
    return 0;
  }
  const ExceptionHandler handler{UserAddr{call.b}, UserAddr{call.c}};
  if (call.b != 0 && !call.process.space().writable(handler.frame, sizeof(reprise_frame))) {
    return -REPRISE_BAD_ADDRESS;
  }
  call.process.exception_handler = handler;
  return 0;
}

std::int64_t resume(Call& call) {
  reprise_frame frame;
  if (!call.get(call.a, frame)) return -REPRISE_BAD_ADDRESS;
  if (frame.rip >= user_high) return -REPRISE_BAD_ARGUMENT;
  set_registers(call.process.registers(), frame);
  return static_cast<std::int64_t>(frame.rax);  // RAX is the frame's, like all else
}

std::int64_t self(Call& call) { return static_cast<std::int64_t>(call.process.id()); }

// Only whole pages of the file: its last one may hold what is not the file's.
std::int64_t map_file(Call& call) {
  const auto range = PageRange::of(UserAddr{call.a}, call.b);
  const auto permissions = permissions_of(call.c);
  if (!range) return -REPRISE_BAD_ADDRESS;
  const arch::MemoryRange& file = call.process.program_file;
  if (!permissions || call.d % page_size != 0 || call.d > file.size ||
      call.b > file.size - call.d) {
    return -REPRISE_BAD_ARGUMENT;
  }
  const FrameNumber first = frame_of(file.start + call.d);
  return code_of(call.process.space().map_frames(*range, first, *permissions));
}

std::int64_t send(Call& call) { return call.machine.ipc.call(call.process); }
std::int64_t receive(Call& call) { return call.machine.ipc.receive(call.process); }

std::int64_t alarm(Call& call) {
  call.process.mailbox.alarm = Nanoseconds{call.a};
  return 0;
}

// Init finds out what devices there are: it may map whatever is not the kernel's.
bool may_map(const Process& process, std::uint64_t first, std::uint64_t last) {
  return process.grants.allow(REPRISE_GRANT_MEMORY, first, last) ||
         (process.id() == init_number && arch::is_device_memory(PhysAddr{first}, PhysAddr{last}));
}

std::int64_t map_device(Call& call) {
  const auto range = PageRange::of(UserAddr{call.a}, call.b);
  if (!range) return -REPRISE_BAD_ADDRESS;
  if (call.c % page_size != 0 || call.c + call.b < call.c) return -REPRISE_BAD_ARGUMENT;
  if (!may_map(call.process, call.c, call.c + call.b - 1)) return -REPRISE_NOT_GRANTED;
  const FrameNumber first = frame_of(PhysAddr{call.c});
  return code_of(
      call.process.space().map_frames(*range, first, {.read = false}, arch::Ownership::Device));
}

std::int64_t device_write(Call& call) {
  if (call.c == 0 || call.c > max_device_write) return -REPRISE_BAD_ARGUMENT;
  if (!call.process.grants.allow(REPRISE_GRANT_MEMORY, call.a, call.a + call.c - 1))
    return -REPRISE_NOT_GRANTED;
  AddressSpace& space = call.process.space();
  if (!space.readable(UserAddr{call.b}, call.c)) return -REPRISE_BAD_ADDRESS;
  const auto device = arch::device_memory(PhysAddr{call.a}, call.c);
  if (device.empty()) return -REPRISE_NO_MEMORY;
  for (std::uint64_t done = 0; done < call.c;) {
    arch::admit_interrupts();
    const auto piece = space.bytes_at(UserAddr{call.b + done}, call.c - done);
    __builtin_memcpy(device.data() + done, piece.data(), piece.size());
    done += piece.size();
  }
  return 0;
}

// By number, as kernel/abi/reprise.h counts them.
constexpr std::array<CallHandler, REPRISE_DEVICE_WRITE + 1> native_calls{
    exit,     log,    map,      unmap,   protect,     set_base,   time,
    sleep,    yield,  log_read, entropy, set_handler, resume,     self,
    map_file, refuse, send,     receive, alarm,       map_device, device_write};

CallHandler handler_of(const Process& process, std::uint64_t number) {
  if (number < native_calls.size()) return native_calls[number];
  const std::uint64_t of_init = number - REPRISE_CONFIGURE;
  const bool known = process.id() == init_number && of_init < init_calls.size();
  return known ? init_calls[of_init] : nullptr;
}

}  // namespace

std::optional<std::uint8_t> serve_call(Machine& machine, Process& process) {
  arch::UserState& state = process.registers();
  Call call{machine,
            process,
            state[Register::Rdi],
            state[Register::Rsi],
            state[Register::Rdx],
            state[Register::R10]};
  const CallHandler handler = handler_of(process, state[Register::Rax]);
  const std::int64_t answer = handler != nullptr ? handler(call) : -REPRISE_NO_SUCH_CALL;
  const bool waits = process.status == ProcessStatus::Calling ||  // it stands at its call still
                     process.status == ProcessStatus::Receiving;
  if (!waits) state[Register::Rax] = static_cast<std::uint64_t>(answer);
  return call.ends;
}

}  // namespace reprise
