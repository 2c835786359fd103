// The breakpoints that a guest runs with: its own, and the kernel's beside them, which stop it at
// the places that the kernel waits for (set_breakpoint()).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "arch/run_user.hpp"
#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/guest_switch.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/vmcb.hpp"

namespace arch::x86 {

// Bit n of `kernels`: the breakpoint in slot n is the kernel's.
struct GuestBreakpoints {
  static constexpr std::size_t slots = 4;
  std::array<std::uint64_t, slots> addresses{};
  std::uint64_t dr7 = 0;
  std::uint64_t kernels = 0;
};

// Whether the kernel knows that the guest stands where it does, so that a breakpoint of the
// kernel's there is to be left without another Break.
enum class Arrival : bool { New, Known };

[[nodiscard]] GuestBreakpoints breakpoints_for(const PerCpu& cpu, const VirtualCpu& virtual_cpu);

// Before a stay in the guest, first of all: to leave a breakpoint of the kernel's the guest is lent
// the resume flag, which would hide one of its own at the same instruction. So that comes by hand.
void give_own_breakpoint(const PerCpu& cpu, const GuestBreakpoints& breakpoints, Arrival arrival,
                         Vmcb& block);

// Before a stay in the guest, of which `s` is the way in. Sets what exceptions are exits, too.
void arm_breakpoints(const PerCpu& cpu, const GuestBreakpoints& breakpoints, Arrival arrival,
                     Vmcb& block, GuestSwitch& s);

// A #DB has stopped the guest; `causes` are those of its DR6, and the block has the guest's own
// again. Nothing: it was the guest's, and goes on to it. A Break with an event in the block: the
// same, but a step over a repeated instruction has to end before that.
[[nodiscard]] std::optional<Trap> debug_trap(const PerCpu& cpu, Vmcb& block,
                                             const GuestBreakpoints& breakpoints,
                                             std::uint64_t causes);

}  // namespace arch::x86
