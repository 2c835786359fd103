// The ports by which a guest ends its machine, and what stands beside them:
//   60h, 64h     a keyboard controller that is not there, but takes the command to reset
//   92h          system control port A: bit 0 resets; A20 is always open
//   CF9h         the chipset's reset: bit 2 of a byte
//   F4h, 501h    a byte ends the guest with that status, for tests; no real machine has this
#pragma once

#include <cstdint>

#include "user/monitor/ending.hpp"
#include "user/monitor/port_device.hpp"

namespace monitor {

class ControlPorts final : public PortDevice {
public:
  enum Port : std::uint16_t {
    KeyboardData = 0x60,
    KeyboardCommand = 0x64,
    SystemControl = 0x92,
    Exit = 0xf4,
    SecondExit = 0x501,
    ResetControl = 0xcf9,
  };

  [[nodiscard]] const Ending& ending() const { return ending_; }

  std::uint32_t read(const PortAccess& access) override;
  void write(const PortAccess& access, std::uint32_t value) override;

private:
  Ending ending_;
  std::uint8_t reset_control_ = 0;
};

}  // namespace monitor
