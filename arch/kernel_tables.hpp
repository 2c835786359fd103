// The kernel's half of every address space.
#pragma once

#include "arch/boot_info.hpp"
#include "kernel/base/address.hpp"

namespace arch {

// Builds the final page tables: W^X for each section of the image, and the direct map. Switches NX,
// WP, SMEP, SMAP and UMIP on. `frames` stays in use: devices are mapped later.
void build_kernel_tables(const BootInfo& info, reprise::FrameSource& frames);

}  // namespace arch
