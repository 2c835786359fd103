// The one way into ring 3 and back: the kernel calls run_user() like a function, and it returns
// when something stopped the program. Interrupts stay off in the kernel but for wait_for_interrupt.
#pragma once

#include <cstdint>

#include "arch/user_state.hpp"
#include "kernel/base/address.hpp"

namespace arch {

struct Trap {
  enum class Kind : std::uint8_t {
    SystemCall,   // SYSCALL: number and arguments in the registers; RIP stands behind it
    Exception,    // vector, error_code, fault_address (page fault: CR2; else 0); RIP as delivered
    Timer,        // the one-shot timer armed by arm_timer()
    Device,       // a device interrupt came in between (console input); nothing to decide
    NonMaskable,  // NMI: logged, never a PE end
    MachineCheck, // recoverable one: the PE is to be restarted (an unrecoverable one panics)
  };
  Kind kind;
  std::uint8_t vector = 0;
  std::uint32_t error_code = 0;
  std::uint64_t fault_address = 0;

  static constexpr std::uint8_t page_fault_vector = 14;
  static constexpr std::uint32_t page_fault_present = 1;  // Intel SDM Vol. 3A §4.7
  static constexpr std::uint32_t page_fault_write = 2;
};

// Runs `state` in ring 3 until the next trap, in the address space that is active. General
// registers, RIP and RFLAGS are loaded from and saved to `state`; the rest as load_rest() left it.
[[nodiscard]] Trap run_user(UserState& state);

// One-shot timer: a Timer trap once `duration` has passed; disarmed by zero or by re-arming. A
// pending expiry of an earlier arming is swallowed.
void arm_timer(reprise::Nanoseconds duration);

// Idles with interrupts on until one arrives or `limit` has passed.
void wait_for_interrupt(reprise::Nanoseconds limit);

}  // namespace arch
