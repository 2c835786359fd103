// Between a process's registers and struct reprise_frame, in which its exception handler sees them:
// the frame's first words are the general registers, RIP and RFLAGS in the order of arch::Register.
#pragma once

#include <cstddef>

#include "arch/user_state.hpp"
#include "kernel/abi/reprise.h"

namespace reprise {

inline constexpr std::size_t frame_bytes =
    (static_cast<std::size_t>(arch::Register::Rflags) + 1) * sizeof(std::uint64_t);
static_assert(frame_bytes == offsetof(reprise_frame, vector));

[[nodiscard]] inline reprise_frame frame_of(const arch::UserState& state) {
  reprise_frame frame{};
  __builtin_memcpy(&frame, state.general.data(), frame_bytes);
  return frame;
}

// Takes over what ring 3 may choose; IF and bit 1 of RFLAGS are always set there.
inline void set_registers(arch::UserState& state, const reprise_frame& frame) {
  __builtin_memcpy(state.general.data(), &frame, frame_bytes);
  std::uint64_t& flags = state[arch::Register::Rflags];
  flags = (flags & REPRISE_USER_FLAGS) | 0x202;
}

}  // namespace reprise
