// Physical addresses outside usable memory: devices, and what the firmware left.
#pragma once

#include <cstddef>
#include <span>

#include "kernel/base/address.hpp"

namespace arch {

// Whether a program may be given these physical addresses: nothing there is the kernel's.
[[nodiscard]] bool is_device_memory(reprise::PhysAddr first, reprise::PhysAddr last);

// Device memory to be written to in bursts, such as a framebuffer. Empty when memory for its tables
// is exhausted.
[[nodiscard]] std::span<std::byte> device_memory(reprise::PhysAddr start, std::size_t size);

// What the firmware and the boot loader left in memory, to be read only. Empty when a part of it is
// the kernel's to write, or out of reach, or no frame is left.
[[nodiscard]] std::span<const std::byte> firmware_memory(reprise::PhysAddr start, std::size_t size);

}  // namespace arch
