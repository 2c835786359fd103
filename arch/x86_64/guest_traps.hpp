// What stopped a guest, as the traps of arch/run_user.hpp.
#pragma once

#include <cstdint>
#include <optional>

#include "arch/run_user.hpp"
#include "arch/user_state.hpp"
#include "arch/x86_64/guest_breakpoints.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/vmcb.hpp"

namespace arch::x86 {

// An exit code (AMD APM Vol. 2 appendix C): a physical interrupt came.
inline constexpr std::uint64_t exit_interrupt = 0x60, exit_nmi = 0x61;

// The vector of the physical interrupt that waits; 0: it has gone.
[[nodiscard]] std::uint8_t take_interrupt(PerCpu& cpu);

// Why the guest left, as end_guest_stint() wants it. Takes the interrupt that ended the stay.
[[nodiscard]] std::uint64_t exit_reason(PerCpu& cpu, const Vmcb& block);

// What the kernel has to know of a stop. Nothing: the guest goes on.
[[nodiscard]] std::optional<Trap> guest_trap(const PerCpu& cpu, Vmcb& block, std::uint64_t reason,
                                             const GuestBreakpoints& breakpoints,
                                             std::uint64_t debug_causes);

// Stops the guest where it stands, as the CPU does where an interrupt can be taken.
[[nodiscard]] Trap stop_in_window(UserState& state);

}  // namespace arch::x86
