// All that the kernel keeps of the machine itself, once for all CPUs: found at boot, or the state
// of devices that belong to no CPU. With PerCpu (per_cpu.hpp) it is all mutable data of arch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "arch/x86_64/extended_state.hpp"
#include "arch/x86_64/io_apic.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/multiboot2.hpp"
#include "arch/x86_64/uart.hpp"
#include "arch/x86_64/vector_operations.hpp"
#include "kernel/base/address.hpp"
#include "kernel/base/interrupt_controllers.hpp"

namespace arch::x86 {

// Intel SDM Vol. 3A §6.14.1.
struct Gate {
  std::uint64_t low, high;
};

// clock.cpp. Until init has measured both rates, they are taken to be 1 GHz.
struct ClockState {
  std::uint64_t entry_stamp = 0;                                // time stamp at kernel entry
  std::uint64_t nanoseconds_per_tick = std::uint64_t{1} << 32;  // times 2^32
  std::uint64_t timer_hertz = 1'000'000'000;
  std::uint64_t timer_ticks_per_nanosecond = std::uint64_t{1} << 32;  // times 2^32
};

// interrupts.cpp and io_apic.cpp. Sets of lines: bit n is line n.
struct InterruptState {
  bool admitting = false;  // the inputs that the firmware may have left open are masked
  std::array<IoApic, reprise::InterruptControllers{}.io_apics.size()> io_apics{};
  decltype(reprise::InterruptControllers::lines) sources{};
  std::uint32_t fired = 0;    // came in, not yet taken
  std::uint32_t waiting = 0;  // masked until their driver expects the next
};

// cache.cpp.
struct CacheState {
  std::size_t line = 0;  // bytes that one instruction flushes; 0: not known yet
  bool optimized = false;
};

// virtual_cpu.cpp: what this CPU's virtualization can do.
struct GuestFeatures {
  bool next_rip_saved = false;
  bool flush_by_asid = false;
};

struct Board {
  std::array<Gate, vectors> idt{};
  ClockState clock;
  InterruptState interrupts;
  ExtendedState extended_state;
  bool base_instructions = false;  // RDFSBASE and its like: CR4.FSGSBASE is set
  const VectorOperations* vector_operations = &sse2_operations;  // the widest that this CPU has
  reprise::FrameNumber kernel_root{};                            // kernel_tables.cpp
  reprise::FrameSource* table_frames = nullptr;                  // of the kernel's page tables
  Uart<MachinePorts> serial{0x3f8};                              // COM1
  Uart<MachinePorts> second_serial{0x2f8};                       // COM2
  BootStorage boot_info;
  CacheState cache;
  GuestFeatures guests;
  std::uint64_t entropy_drawn = 0;  // entropy.cpp: calls so far
};
extern Board board;

}  // namespace arch::x86
