// The kernel's half of every address space, built once at boot (kernel_tables.cpp). Device memory
// joins it later: device_mapping.hpp.
#pragma once

#include "kernel/base/address.hpp"

namespace arch::x86 {

// The root of the kernel's tables: every address space takes over its upper half.
[[nodiscard]] reprise::FrameNumber kernel_root();

}  // namespace arch::x86
