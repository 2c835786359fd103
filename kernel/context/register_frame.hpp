// Between a context's registers and struct reprise_frame, in which a program sees them: the frame's
// first words are the general registers, RIP and RFLAGS in the order of arch::Register.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arch/user_state.hpp"
#include "kernel/abi/guest.h"
#include "kernel/abi/reprise.h"

namespace reprise {

inline constexpr std::size_t register_frame_bytes =
    (static_cast<std::size_t>(arch::Register::Rflags) + 1) * sizeof(std::uint64_t);
static_assert(register_frame_bytes == offsetof(reprise_frame, vector));

[[nodiscard]] reprise_frame register_frame(const arch::UserState& state);

// A guest's registers as its monitor sees them.
[[nodiscard]] reprise_guest_state guest_registers(const arch::UserState& state);
void set_guest_registers(arch::UserState& state, const reprise_guest_state& registers);

// Takes over what ring 3 may choose. IF and bit 1 of RFLAGS are always set there.
void set_registers(arch::UserState& state, const reprise_frame& frame);

}  // namespace reprise
