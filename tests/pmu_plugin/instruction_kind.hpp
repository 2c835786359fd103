// Three facts about an instruction's bytes that the counting needs: does it leave for another
// address (then it may "return" to itself, as `jmp .` does), is it a system call, is it a string
// instruction with a repeat prefix, is it one that moves an MSR. Everything else is `Plain`.
#pragma once

#include <cstdint>
#include <span>

namespace pmu {

enum class Kind : std::uint8_t { Plain, Transfer, SystemCall, Repeat, ReadMsr, WriteMsr };

[[nodiscard]] Kind classify(std::span<const std::uint8_t> bytes);

}  // namespace pmu
