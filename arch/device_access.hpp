// Letting a program reach a device itself, for one instruction. In its processing elements it
// cannot: no port is open in ring 3, and device memory is not present. Once the kernel knows that
// both runs agreed on the access, it opens the port or the page and has the program execute that
// instruction by a single step. So every form of access works that the CPU has, exactly as the CPU
// does it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "arch/user_state.hpp"
#include "kernel/base/address.hpp"

namespace arch {

struct PortRange {
  std::uint16_t first, last;
};

// The ports that the instruction reaches, if it is one of IN, OUT, INS and OUTS. `code` is its
// start, as many bytes as can be read. Intel SDM Vol. 2A §2.1, IN; Vol. 1 §18.5.
[[nodiscard]] std::optional<PortRange> ports_reached(std::span<const std::uint8_t> code,
                                                     const UserState& state);

// Where the instruction stores its result in memory when it reads a device: that of INS and MOVS,
// and of PUSH and CALL with an operand in memory. A fault there must come before the access.
[[nodiscard]] std::optional<reprise::UserAddr> stores_to(std::span<const std::uint8_t> code,
                                                         const UserState& state);

// From the next entry on ring 3 may use every port; for an instruction whose ports are known.
enum class Ports : bool { Closed, Open };
void set_ports(Ports ports);

// Whether a program may be given these physical addresses: nothing there is the kernel's.
[[nodiscard]] bool is_device_memory(reprise::PhysAddr first, reprise::PhysAddr last);

// Device memory to be written to in bursts, such as a framebuffer. Empty when memory for its tables
// is exhausted.
[[nodiscard]] std::span<std::byte> device_memory(reprise::PhysAddr start, std::size_t size);

// What the firmware and the boot loader left in memory, to be read only: empty when a part of it is
// the kernel's to write, or out of reach, or no frame is left.
[[nodiscard]] std::span<const std::byte> firmware_memory(reprise::PhysAddr start, std::size_t size);

}  // namespace arch
