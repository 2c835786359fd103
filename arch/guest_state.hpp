// A guest's registers as words, beside those that a program has (arch/user_state.hpp).
#pragma once

#include <cstdint>

#include "arch/user_state.hpp"

namespace arch {

// The state of a CPU at reset, but that nothing runs before the monitor has set its registers.
void initialize_guest(UserState& state, VirtualCpu& cpu);

// Words of UserState::guest, in the order of struct reprise_guest_state behind `rflags`. Each
// segment is two words: selector, attributes and limit, then the base.
enum class GuestWord : std::uint8_t {
  Es = 0,
  Cs = 2,
  Ss = 4,
  Ds = 6,
  Fs = 8,
  Gs = 10,
  Gdtr = 12,
  Ldtr = 14,
  Idtr = 16,
  Tr = 18,
  Cr0 = 20,
  Cr2,
  Cr3,
  Cr4,
  Cr8,
  Efer,
  Dr0,
  Dr1,
  Dr2,
  Dr3,
  Dr6,
  Dr7,
  Star,
  Lstar,
  Cstar,
  Sfmask,
  KernelGsBase,
  SysenterCs,
  SysenterEsp,
  SysenterEip,
  Pat,
  Cpl,
  Shadow,
  Event,
  NextRip,
  Xcr0,
  Window,
  count
};

// An interrupt can be delivered before the next instruction.
[[nodiscard]] bool takes_interrupts(const UserState& state);
// Of a state that is live: an event is delivered before the next instruction.
[[nodiscard]] bool event_waits(const UserState& state);
// The instruction that stopped the guest is carried out: on behind it.
void skip_instruction(UserState& state);

}  // namespace arch
