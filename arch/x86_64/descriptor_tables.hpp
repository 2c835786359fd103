// What the CPU itself reads of a PerCpu: task state and trap stacks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "arch/x86_64/layout.hpp"
#include "kernel/base/address.hpp"

namespace arch::x86 {

struct PerCpu;

// Intel SDM Vol. 3A §8.7. Its words stand 4 bytes off their natural place.
struct [[gnu::packed]] TaskState {
  std::uint32_t reserved0;
  std::uint64_t rsp[3], reserved1, ist[7], reserved2;
  std::uint16_t reserved3, io_map_base;
};
static_assert(sizeof(TaskState) == 104);

// A stack that the CPU itself switches to. It ends with a pointer to the PerCpu that it belongs to:
// who stands on it finds that, whatever the GS base is (see per_cpu.hpp).
struct alignas(reprise::page_size) TrapStack {
  std::array<std::byte, reprise::page_size - 2 * sizeof(std::uint64_t)> bytes;
  PerCpu* owner;
  std::uint64_t unused;  // the stack begins at a multiple of 16

  [[nodiscard]] std::uint64_t top() const { return reinterpret_cast<std::uint64_t>(&owner); }
};
static_assert(sizeof(TrapStack) == reprise::page_size);

// Stack 0 is for entries from ring 3. The others belong to exceptions that can hit the kernel in
// any state, numbered as the IST field of a gate counts.
inline constexpr std::array<std::uint8_t, 5> stack_vectors = {0, nmi_vector, double_fault_vector,
                                                              machine_check_vector, debug_vector};

// The number of the stack on which the vector arrives in ring 0; 0: on the kernel's own.
[[nodiscard]] constexpr std::size_t own_stack(std::uint64_t vector) {
  for (std::size_t stack = 1; stack < stack_vectors.size(); ++stack) {
    if (stack_vectors[stack] == vector) return stack;
  }
  return 0;
}

// The owner of the stack that `frame` lies on, for a vector with a stack of its own.
[[nodiscard]] inline PerCpu* owner_of_stack(const TrapFrame& frame) {
  const std::uint64_t stack = reprise::round_down(reinterpret_cast<std::uint64_t>(&frame));
  return reinterpret_cast<const TrapStack*>(stack)->owner;
}

}  // namespace arch::x86
