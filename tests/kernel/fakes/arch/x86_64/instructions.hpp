// Stands in for the machine's instructions where page_table.cpp is tested: nothing is cached here,
// so nothing need be invalidated.
#pragma once

#include <cstdint>

#include "arch/x86_64/registers.hpp"

namespace arch::x86 {

inline void write_cr3(std::uint64_t) {}
inline std::uint64_t read_cr3() { return 0; }
inline void invlpg(std::uint64_t) {}

}  // namespace arch::x86
