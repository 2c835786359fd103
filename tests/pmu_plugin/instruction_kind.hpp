// The kind of an instruction, by its bytes. The counting treats some kinds in a way of their own: a
// transfer to another address (it may "return" to itself, as `jmp .` does), a system call, a string
// instruction with a repeat prefix, and an access to an MSR. Every other instruction is `Plain`.
#pragma once

#include <cstdint>
#include <span>

namespace pmu {

enum class Kind : std::uint8_t { Plain, Transfer, SystemCall, Repeat, ReadMsr, WriteMsr };

[[nodiscard]] Kind classify(std::span<const std::uint8_t> bytes);

}  // namespace pmu
