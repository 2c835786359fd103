// What a guest is started from, why that may fail, and the registers it begins with. Both formats
// (linux_image.hpp, test_image.hpp) are entered in flat 32-bit protected mode without paging.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/abi/guest.h"
#include "user/monitor/page_walker.hpp"

namespace monitor {

using Bytes = std::span<const std::byte>;

struct BootImage {
  Bytes kernel;
  Bytes initrd;  // empty: none
  std::string_view command_line;
  std::uint64_t memory_bytes = 0;
};

enum class LoadError : std::uint8_t {
  NotAKernel,
  OldProtocol,
  LowKernel,
  BrokenKernel,
  KernelTooLarge,
  InitrdTooLarge,
  LongCommandLine,
  NoMemory,
};

[[nodiscard]] std::string_view text_of(LoadError error);

// Flat segments, interrupts off, all other registers 0. The segments' selectors are 10h and 18h, as
// in a table that write_segment_table() leaves in the guest's memory.
[[nodiscard]] reprise_guest_state flat_state(std::uint64_t entry);
[[nodiscard]] bool write_segment_table(GuestMemory& memory);

inline constexpr std::uint64_t segment_table = 0x8f000;  // the stack grows down from here

}  // namespace monitor
