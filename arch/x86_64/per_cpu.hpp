// All that the kernel keeps for one CPU, in one structure: there is no other mutable data of a CPU.
//
//      +0  self                 this_cpu() reads it
//      +8  user_registers       | where traps.asm puts the program's registers,
//     +16  kernel_stack_pointer | finds the kernel's stack,
//     +24  other_stack_pointer  | and keeps RSP for a few instructions
//          single_step, ...     what the next entry to ring 3 is to do
//          counting, icount, pmu_intel, pmu_amd, nmi_came
//          timer, xapic, hold, guest
//          gdt, task            read by the CPU
//   +n*4K  trap_stacks[0..4]    each: stack, grows down | owner | unused
//
// In ring 0 the GS base points here, and IA32_KERNEL_GS_BASE holds the program's. In ring 3 it is
// the other way round. SWAPGS stands at each border (traps.asm): behind an entry from ring 3, and
// right before the IRET to it. A program can load any GS base, also one that looks like a kernel
// address, so no test of the value says whose it is. What says so is where the CPU stood:
//
//   - A trap from ring 3 always swaps. Interrupts stay off in ring 0 until the swap is done.
//   - In ring 0 the program's base is active at three places: before the SWAPGS at
//     system_call_entry, behind the one before the IRET, and within the functions for the program's
//     GS. NMI, machine check, double fault and the debug trap of SYSCALL can come there, each on a
//     stack of its own, at whose top kernel_trap() finds this structure: to note an NMI, and for
//     the GS base before a panic.
//   - A fault of the IRET itself comes on the kernel's stack, with the program's base active.
//     kernel_trap() knows it by its RIP and swaps back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "arch/x86_64/descriptor_tables.hpp"
#include "arch/x86_64/instructions.hpp"
#include "kernel/base/address.hpp"
#include "kernel/base/counter.hpp"

namespace arch::x86 {

class CounterBackEnd;

// counter.cpp: the counter in use.
struct CountingState {
  const CounterBackEnd* back_end = nullptr;  // nullptr: landmark
  reprise::CounterSettings settings{};
  std::uint64_t counted = 0;
  std::uint64_t stop = 0;  // count at which the run stops; 0: nowhere
};

// icount.cpp: the present stint.
struct IcountState {
  std::uint64_t rate = 1;  // ticks an instruction
  bool armed = false;      // the timer serves as the overflow
  std::optional<std::uint64_t> time_left;
  std::uint64_t begin = 0;
  std::uint64_t asked = 0;         // instructions of a guest, before the overflow
  std::uint64_t way_to_guest = 0;  // instructions from the timer's start to the guest
};

// pmu.hpp, pmu_intel.cpp, pmu_amd.cpp: the counter's registers and the present stint.
struct PmuState {
  Msr control{}, counter{};  // AMD's
  std::uint64_t clear = 0;   // Intel's bits of the overflow status
  std::uint64_t mask = 0;    // of the counter's bits
  std::uint64_t begin = 0;
  bool owed = false;  // an overflow was seen whose interrupt is still to come
};

// timer.cpp.
struct TimerState {
  bool armed = false;
  bool expired = false;
};

// interrupts.cpp, in nanoseconds.
struct HoldState {
  std::uint64_t since = 0;
  std::uint64_t longest = 0;
};

// virtual_cpu.cpp and guest.cpp.
struct GuestState {
  std::optional<reprise::FrameNumber> host_block;  // where VMSAVE keeps the kernel's; nothing: off
  bool takes_interrupt = false;                    // kernel_trap() notes the next one
  std::uint8_t taken = 0;                          // its vector; 0: none has come
};

struct PerCpu {
  PerCpu* self = nullptr;
  std::uint64_t user_registers = 0;  // UserState::general of the program that runs
  std::uint64_t kernel_stack_pointer = 0;
  std::uint64_t other_stack_pointer = 0;

  bool single_step = false;
  std::uint64_t port_rights = 0;                                  // in RFLAGS
  std::array<std::optional<reprise::UserAddr>, 2> breakpoints{};  // by BreakSlot

  CountingState counting;
  IcountState icount;
  PmuState pmu_intel, pmu_amd;
  volatile bool nmi_came = true;  // since a counter's interrupt was last let in; set in any place
  TimerState timer;
  volatile std::uint32_t* xapic = nullptr;  // registers of the xAPIC; nullptr: x2APIC
  HoldState hold;
  GuestState guest;

  std::array<std::uint64_t, 7> gdt{};
  TaskState task{};
  std::array<TrapStack, stack_vectors.size()> trap_stacks{};
};

// The processor that the machine boots on, the only one in use.
extern PerCpu boot_cpu;

}  // namespace arch::x86
