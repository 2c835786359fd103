// Device memory, for processes that are granted some.
#include "arch/interrupts.hpp"
#include "arch/page_table.hpp"
#include "arch/physical_memory.hpp"
#include "kernel/calls/native_calls.hpp"

namespace reprise::native_calls {
namespace {

constexpr std::uint64_t max_device_write = 1 << 20;  // bytes; nobody else runs meanwhile

// Init finds out what devices there are: it may map whatever is not the kernel's.
bool may_map(const Process& process, std::uint64_t first, std::uint64_t last) {
  if (process.grants().allow(REPRISE_GRANT_MEMORY, first, last)) return true;
  return process.number() == init_number && arch::is_device_memory(PhysAddr{first}, PhysAddr{last});
}

}  // namespace

Answer map_device(Call& call) {
  const std::uint64_t bytes = call.second(), device = call.third();
  const auto range = PageRange::of(UserAddr{call.first()}, bytes);
  if (!range) return Failure{REPRISE_BAD_ADDRESS};
  if (device % page_size != 0 || device + bytes < device) return Failure{REPRISE_BAD_ARGUMENT};
  if (!may_map(call.process(), device, device + bytes - 1)) return Failure{REPRISE_NOT_GRANTED};
  const FrameNumber first = frame_containing(PhysAddr{device});
  return answer_of(call.gate().map_frames(*range, first, {.read = false}, arch::Ownership::Device));
}

Answer device_write(Call& call) {
  const std::uint64_t to = call.first(), from = call.second(), bytes = call.third();
  if (bytes == 0 || bytes > max_device_write) return Failure{REPRISE_BAD_ARGUMENT};
  if (!call.process().grants().allow(REPRISE_GRANT_MEMORY, to, to + bytes - 1)) {
    return Failure{REPRISE_NOT_GRANTED};
  }
  if (!call.space().readable(UserAddr{from}, bytes)) return Failure{REPRISE_BAD_ADDRESS};
  const auto device = arch::device_memory(PhysAddr{to}, bytes);
  if (device.empty()) return Failure{REPRISE_NO_MEMORY};
  for (std::uint64_t done = 0; done < bytes;) {
    arch::admit_interrupts();
    const auto piece = call.space().bytes_at(UserAddr{from + done}, bytes - done);
    __builtin_memcpy(device.data() + done, piece.data(), piece.size());
    done += piece.size();
  }
  return 0;
}

}  // namespace reprise::native_calls
