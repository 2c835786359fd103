// The machine's ports, as a type for the devices' templates. Each access ends the processing
// element and is done once, after both runs agreed on it.
#pragma once

#include <cstdint>
#include <span>

#include "user/lib/instructions.hpp"

namespace drivers {

struct MachinePorts {
  static std::uint8_t read8(unsigned port) { return user::in8(static_cast<std::uint16_t>(port)); }
  static void write8(unsigned port, std::uint8_t value) {
    user::out8(static_cast<std::uint16_t>(port), value);
  }
  static void write_all(unsigned port, std::span<const char> bytes) {
    user::out_string(static_cast<std::uint16_t>(port), bytes);
  }
};

}  // namespace drivers
