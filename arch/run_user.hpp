// The one way into ring 3 and back: the kernel calls run_user() like a function, and it returns
// when something stopped the program. Interrupts stay off in the kernel but for
// admit_interrupts() and wait_for_interrupt(), and a device's are held while programs run.
#pragma once

#include <cstdint>
#include <optional>

#include "arch/fault.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/address.hpp"
#include "kernel/base/interrupt_controllers.hpp"

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

// Runs `state` in ring 3 until the next trap, in the address space that is active. General
// registers, RIP and RFLAGS are loaded from and saved to `state`; the rest as load_rest() left it.
[[nodiscard]] Trap run_user(UserState& state);

// From the next entry on, a Step trap after each instruction; of a repeated string instruction,
// after each iteration. The trap flag is the program's to see in what PUSHF and SYSCALL store, and
// its to change by POPF: not over these (arch/stepping.hpp). A program that has set the flag itself
// gets its own exception.
void set_single_step(bool on);

// A Break trap whenever the program arrives at the address. Standing there when it is entered is no
// arrival.
enum class BreakSlot : std::uint8_t { Target, Behind };
void set_breakpoint(BreakSlot slot, std::optional<reprise::UserAddr> address);

// One-shot timer: a Timer trap once `duration` has passed, or as much of it as the timer can hold
// (seconds); disarmed by zero or by re-arming. A pending expiry of an earlier arming is swallowed.
void arm_timer(reprise::Nanoseconds duration);

// Device interrupts are held altogether until this call, since firmware may have left inputs open:
// it masks them all. From then on they are held but for the moments below, and now and then within
// what keeps the kernel long: the console and changes to page tables. Returns how many inputs there
// are, and local_x2apic; nothing, and nothing has changed, when an I/O APIC is not device memory
// (arch/device_access.hpp) or the call has succeeded before.
[[nodiscard]] std::optional<std::uint64_t> start_admitting(
    const reprise::InterruptControllers& controllers);
// Lets in what waits. Does nothing while the timer is armed, that is, within a run, or before
// start_admitting().
void admit_interrupts();
// Interrupts of devices, bit n for line n: an ISA line below 16, else an input of the I/O APICs. A
// line is connected once; nothing happens when there is no such input.
void connect_interrupts(std::uint32_t lines);
// Those that have come in since they were last asked for.
[[nodiscard]] std::uint32_t take_interrupts();
// A level-triggered line is masked from when it comes in until its driver waits for the next.
void expect_interrupts(std::uint32_t lines);

// The longest time for which they were held, from forget_longest_hold() on.
void forget_longest_hold();
[[nodiscard]] reprise::Nanoseconds longest_hold();

// Idles with interrupts on until one arrives or `limit` has passed.
void wait_for_interrupt(reprise::Nanoseconds limit);

}  // namespace arch
