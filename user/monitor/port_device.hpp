// What the port bus asks of a device. Devices know no call of the kernel: host tests drive them.
#pragma once

#include <cstdint>

#include "user/monitor/guest_time.hpp"

namespace monitor {

struct PortAccess {
  std::uint16_t port = 0;
  unsigned bytes = 1;  // 1, 2 or 4
  GuestTime now{};
};

class PortDevice {
public:
  virtual std::uint32_t read(const PortAccess& access) = 0;
  virtual void write(const PortAccess& access, std::uint32_t value) = 0;

protected:
  ~PortDevice() = default;
};

}  // namespace monitor
