// A machine for the counters' host tests: ring 3 that executes the self-test's programs from their
// bytes, performance counters of Intel and AMD as the manuals have them (Intel SDM Vol. 3B §20.2,
// AMD APM Vol. 2 §13.2), a local APIC in x2APIC mode and a clock. All of it stands behind the fake
// CPU's registers, raises #GP where the manuals say so, and can lie.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "arch/x86_64/registers.hpp"

struct CountingMachine {
  enum class Pmu { None, Silent, Intel, AmdCore, AmdOld };  // Silent: reads 0, ignores writes
  Pmu pmu = Pmu::None;
  unsigned version = 4;  // CPUID leaf 0AH of Intel's; 0: the leaf says nothing
  unsigned width = 48;
  unsigned skid = 0;                // instructions from the overflow to its interrupt
  std::uint64_t gain = 0;           // what each trap adds to the count
  std::uint64_t clock_rate = 1;     // ticks an instruction
  std::uint64_t timer_rate = 1;     // ticks of the timer in one of the clock
  std::uint64_t kernel_ticks = 70;  // on the way into ring 3, and on the way out
  unsigned late_timers = 0;         // so many in a row come after a million instructions more
  bool clock_jitters = false;
  bool cpuid_faults = false;  // in ring 3

  // Lies.
  bool counts = true, counts_kernel = false, interrupts = true;
  bool sign_extends = false, stale = false, freezes = false;
  std::uint64_t leaves_out = 0, doubles = 0;  // one instruction in so many
  std::uint64_t sound_for = 0;                // so many before it begins to

  // What happened, and what is pending.
  std::vector<std::pair<arch::x86::Msr, std::uint64_t>> writes;
  bool nmi_from_elsewhere = false;
  std::uint64_t executed = 0;  // in ring 3
  bool timer_armed = false, timer_expired = false;
  std::uint64_t value = 0, control = 0, global = 0, status = 0, stamp = 0, timer_end = 0;
  std::optional<unsigned> nmi_in;
  bool frozen = false, timer_pending = false, timer_in_service = false;

  // Becomes the fake CPU's hardware, and starts its APIC.
  void power_on(std::uint32_t leaf_1_ecx = 0);
};
inline CountingMachine machine;

// The machine as new, with these counters; not powered on.
CountingMachine& become(CountingMachine::Pmu pmu);
// Powers it on as QEMU's TCG: CPUID says so.
void power_on_tcg();

struct GeneralProtection : std::domain_error {
  using std::domain_error::domain_error;
};
