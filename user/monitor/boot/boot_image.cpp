// See boot_image.hpp.
#include "user/monitor/boot/boot_image.hpp"

namespace monitor {
namespace {

constexpr std::uint16_t code_selector = 0x10, data_selector = 0x18, task_selector = 0x20;
// Attributes as reprise_guest_segment has them: present, 32 bits, in pages; code or data.
constexpr std::uint16_t flat_code = 0xc9b, flat_data = 0xc93, busy_task = 0x8b;
// The same as descriptors (Intel SDM Vol. 3A §3.4.5). The task's is empty.
constexpr std::uint64_t descriptors[]{0, 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0};
constexpr std::uint32_t whole_space = 0xffff'ffff;

constexpr std::uint64_t reserved_flag = 2;      // RFLAGS bit 1
constexpr std::uint64_t protected_mode = 0x11;  // CR0: PE and ET
constexpr std::uint64_t initial_dr6 = 0xffff0ff0, initial_dr7 = 0x400;
constexpr std::uint64_t initial_pat = 0x0007040600070406;  // AMD APM Vol. 2 §7.8.2

reprise_guest_segment flat(std::uint16_t selector, std::uint16_t attributes) {
  return {.selector = selector, .attributes = attributes, .limit = whole_space, .base = 0};
}

}  // namespace

std::string_view text_of(LoadError error) {
  switch (error) {
    case LoadError::NotAKernel:
      return "it is no kernel: neither Linux's boot protocol nor a test guest's header";
    case LoadError::OldProtocol: return "its boot protocol is older than 2.10";
    case LoadError::LowKernel:
      return "it is a zImage, which loads below 1 MiB; a bzImage is needed";
    case LoadError::BrokenKernel: return "its header names more than the file has";
    case LoadError::KernelTooLarge: return "it does not fit into the guest's memory";
    case LoadError::InitrdTooLarge:
      return "the initrd does not fit beside it into the guest's memory";
    case LoadError::LongCommandLine: return "the command line is longer than it takes";
    case LoadError::NoMemory: return "the guest's memory cannot be written";
  }
  return "unknown error";
}

reprise_guest_state flat_state(std::uint64_t entry) {
  reprise_guest_state state{};
  state.rip = entry;
  state.rsp = segment_table;
  state.rflags = reserved_flag;
  state.cs = flat(code_selector, flat_code);
  for (reprise_guest_segment* segment : {&state.ds, &state.es, &state.fs, &state.gs, &state.ss})
    *segment = flat(data_selector, flat_data);
  state.tr = {.selector = task_selector, .attributes = busy_task, .limit = 0x67, .base = 0};
  state.gdtr.base = segment_table;
  state.gdtr.limit = sizeof descriptors - 1;
  state.cr0 = protected_mode;
  state.dr6 = initial_dr6;
  state.dr7 = initial_dr7;
  state.pat = initial_pat;
  state.xcr0 = 1;
  return state;
}

bool write_segment_table(GuestMemory& memory) {
  return memory.write(segment_table, descriptors, sizeof descriptors);
}

}  // namespace monitor
