// The one way into a program or a guest and back: the kernel calls run_user() like a function, and
// it returns when something stopped what runs there.
#pragma once

#include <cstdint>
#include <optional>

#include "arch/fault.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/address.hpp"

namespace arch {

struct Trap {
  enum class Kind : std::uint8_t {
    SystemCall,    // SYSCALL: number and arguments in the registers; RIP stands behind it
    Exception,     // vector, error_code, fault_address (page fault: CR2; else 0); RIP as delivered
    Timer,         // the one-shot timer armed by arm_timer()
    Counter,       // the count given to stop_at_count() is reached (arch/counter.hpp)
    Step,          // one instruction was executed under set_single_step()
    Break,         // the instruction at a breakpoint is next
    Device,        // an interrupt that means nothing here: a device's, an earlier stop's
    NonMaskable,   // NMI: logged, never a PE end
    MachineCheck,  // recoverable one: the PE is to be restarted (an unrecoverable one panics)
    Exit,  // of a guest: error_code is a GuestExit (arch/virtual_cpu.hpp), fault_address more
  };
  Kind kind;
  std::uint8_t vector = 0;
  std::uint32_t error_code = 0;
  std::uint64_t fault_address = 0;

  // Of an exception; of any other kind: Other.
  [[nodiscard]] FaultKind fault() const {
    return kind == Kind::Exception ? classify(vector, error_code) : FaultKind::Other;
  }
};

// Runs `state` until the next trap: a program in ring 3, in the address space that is active, or a
// guest on its virtual CPU. General registers, RIP and RFLAGS are loaded from and saved to `state`;
// the rest as load_rest() left it.
[[nodiscard]] Trap run_user(UserState& state);

// For programs only: from the next entry on a Step trap comes after each instruction, and after
// each iteration of a repeated string instruction. The program sees the trap flag in what PUSHF and
// SYSCALL store, and changes it by POPF: those are not stepped over this way (arch/stepping.hpp). A
// program that has set the flag itself gets its own exception.
void set_single_step(bool on);

// A Break trap comes whenever the program arrives at the address. Being entered there is no
// arrival.
enum class BreakSlot : std::uint8_t { Target, Behind };
void set_breakpoint(BreakSlot slot, std::optional<reprise::UserAddr> address);

// From the next entry on ring 3 may use every port: for one instruction whose ports are known
// (arch/device_instruction.hpp).
enum class Ports : bool { Closed, Open };
void set_ports(Ports ports);

}  // namespace arch
