// What each processor has for itself in the kernel. Its hardware is arch's
// (arch/x86_64/per_cpu.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "arch/user_state.hpp"
#include "kernel/abi/init.hpp"
#include "kernel/schedule/scheduler.hpp"

namespace reprise {

struct Cpu {
  Scheduler scheduler;

  // Scratch space, each for the time of one call; the kernel stack is too small for it.
  static constexpr std::size_t most_digests = 1 << 16;    // steps that a trace can look at
  std::array<std::uint32_t, most_digests> digests{};      // for the trace of a PE that is given up
  std::array<char, most_string_bytes> program_strings{};  // for REPRISE_START
  CounterProbe probe{};                                   // for REPRISE_PROBE, and its registers
  arch::UserState probe_registers{};
};

}  // namespace reprise
