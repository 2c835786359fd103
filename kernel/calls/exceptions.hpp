// What follows a committed exception: an instruction that the kernel stands in for (RDTSC), the
// process's own handler, or the end of the process.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arch/user_state.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/process/process.hpp"

namespace reprise {

// False: nobody takes it, and the process ends.
[[nodiscard]] bool serve_exception(Process& process, const dwc::PeEnd& end);

// Between a process's registers and struct reprise_frame, in which its handler sees them: the
// frame's first words are the general registers, RIP and RFLAGS in the order of arch::Register.
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
