// How a guest ends its machine.
#pragma once

#include <cstdint>

namespace monitor {

enum class End : std::uint8_t { None, PowerOff, Reset, Status };

struct Ending {
  End end = End::None;
  std::uint8_t status = 0;  // with End::Status: the guest's own
};

}  // namespace monitor
