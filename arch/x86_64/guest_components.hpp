// A guest's XCR0, for which the control block has no place.
#pragma once

#include <cstdint>

#include "arch/virtual_cpu.hpp"

namespace arch::x86 {

// Around each stay in the guest. load_components() returns what unload_components() needs.
[[nodiscard]] std::uint64_t load_components(const VirtualCpu& virtual_cpu);
void unload_components(std::uint64_t loaded, VirtualCpu& virtual_cpu);

}  // namespace arch::x86
