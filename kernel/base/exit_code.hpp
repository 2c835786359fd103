// The values that the kernel writes to QEMU's isa-debug-exit device. QEMU then exits with
// (value << 1) | 1. Values from first_boot_error on blame what was given at boot
// (user/loader/error.hpp, docs/log-format.md). The kernel names only the few of them that keep init
// from running.
#pragma once

#include <cstdint>

namespace reprise {

inline constexpr unsigned first_boot_error = 0x20;

enum class ExitCode : std::uint8_t {
  Clean = 0x10,
  ProgramFailed = 0x11,
  MismatchStanding = 0x12,
  Panic = 0x13,
  MachineUnfit = 0x14,
  NoPersonality = first_boot_error + 12,
  OutOfMemory = first_boot_error + 15,
  NoInit = first_boot_error + 17,
};

}  // namespace reprise
