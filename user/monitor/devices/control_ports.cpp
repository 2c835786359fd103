// See control_ports.hpp.
#include "user/monitor/devices/control_ports.hpp"

namespace monitor {
namespace {

constexpr std::uint8_t pulse_reset = 0xfe;                // keyboard controller's command
constexpr std::uint8_t fast_reset = 1, a20_open = 2;      // system control port A
constexpr std::uint8_t reset_cpu = 4, reset_kept = 0x0a;  // CF9h

}  // namespace

std::uint32_t ControlPorts::read(const PortAccess& access) {
  if (access.port == SystemControl) return a20_open;
  if (access.port == ResetControl) return reset_control_;
  return ~0u;
}

void ControlPorts::write(const PortAccess& access, std::uint32_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  bool resets = false;
  switch (access.port) {
    case KeyboardCommand: resets = byte == pulse_reset; break;
    case SystemControl: resets = (byte & fast_reset) != 0; break;
    case ResetControl:
      resets = (byte & reset_cpu) != 0;
      reset_control_ = byte & reset_kept;
      break;
    case Exit:
    case SecondExit: ending_ = {.end = End::Status, .status = byte}; break;
    default: break;
  }
  if (resets) ending_ = {.end = End::Reset};
}

}  // namespace monitor
