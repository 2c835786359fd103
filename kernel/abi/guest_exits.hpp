// What a guest's exits are counted by, for the report.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace reprise {

// An instruction that stopped a guest, or the window for an interrupt. In the order of the event's
// keys: a new one comes last (docs/log-format.md, `guest-exits`).
enum class GuestExitKind : std::uint8_t {
  TimeStamp,
  InputOutput,
  Cpuid,
  Msr,
  Halt,
  Register,  // MOV from or to a debug register, or to CR8
  Window,
  Other,
};
inline constexpr std::size_t guest_exit_kinds = 8;
using GuestExits = std::array<std::uint64_t, guest_exit_kinds>;

}  // namespace reprise
