// The two 8259A of a PC: the second one's output is line 2 of the first. Ports 20h, 21h, A0h, A1h;
// 4D0h and 4D1h say which lines are level triggered (ELCR).
#pragma once

#include <cstdint>

#include "user/monitor/devices/interrupt_chip.hpp"
#include "user/monitor/port_device.hpp"

namespace monitor {

class InterruptController final : public PortDevice {
public:
  enum Port : std::uint16_t {
    FirstCommand = 0x20,
    FirstData = 0x21,
    SecondCommand = 0xa0,
    SecondData = 0xa1,
    FirstLevels = 0x4d0,
    SecondLevels = 0x4d1,
  };

  InterruptController() { first_.set_cascade_lines(1u << cascade_line); }

  // `line` is 0 to 15. Line 2 belongs to the cascade and cannot be set.
  void set_line(unsigned line, bool high);
  // True: the processor is to take an interrupt.
  [[nodiscard]] bool interrupts() const { return first_.interrupts(); }
  // The processor takes it: its vector.
  std::uint8_t acknowledge();

  std::uint32_t read(const PortAccess& access) override;
  void write(const PortAccess& access, std::uint32_t value) override;

private:
  static constexpr unsigned cascade_line = 2;
  void update_cascade() { first_.set_line(cascade_line, second_.interrupts()); }

  InterruptChip first_, second_;
};

}  // namespace monitor
