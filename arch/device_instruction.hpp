// What an instruction that reaches a device does besides: as little of its decoding as the kernel
// needs to let it run once (kernel/device).
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

// Where the instruction stores its result in memory when it reads a device: INS and MOVS do, and
// PUSH and CALL with an operand in memory. A fault there must come before the access.
[[nodiscard]] std::optional<reprise::UserAddr> stores_to(std::span<const std::uint8_t> code,
                                                         const UserState& state);

}  // namespace arch
