// Instructions whose result two runs would not agree on: they fault in ring 3, and the kernel does
// them once, outside of both runs.
#pragma once

#include <cstdint>
#include <span>

#include "arch/user_state.hpp"

namespace arch {

// Executes the RDTSC, RDTSCP or CPUID at RIP: results in registers, RIP behind it. `code` is its
// start: as many bytes as can be read, at most longest_instruction. False, and nothing has changed,
// when it is another instruction.
[[nodiscard]] bool emulate_instruction(UserState& state, std::span<const std::uint8_t> code);

}  // namespace arch
