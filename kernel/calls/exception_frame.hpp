// Between a process's registers and struct reprise_frame, in which its exception handler sees them.
#pragma once

#include "arch/user_state.hpp"
#include "kernel/abi/reprise.h"

namespace reprise {

[[nodiscard]] reprise_frame frame_of(const arch::UserState& state);

// Takes over what ring 3 may choose; of RFLAGS only the bits that ring 3 can set by itself.
void set_registers(arch::UserState& state, const reprise_frame& frame);

}  // namespace reprise
