// The MC146818 clock with its memory at ports 70h and 71h (Motorola MC146818A data sheet): the time
// in all four formats, the update cycle, alarm, update and periodic interrupts on line 8, and the
// registers in which a PC's firmware leaves the memory's size.
#pragma once

#include <array>
#include <cstdint>

#include "user/drivers/cmos.hpp"
#include "user/monitor/port_device.hpp"

namespace monitor {

class RealTimeClock final : public PortDevice {
public:
  static constexpr std::uint16_t index_port = 0x70, data_port = 0x71;

  // The wall clock at guest time 0, in seconds since 1970, and the guest's memory in bytes.
  RealTimeClock(std::uint64_t wall_seconds, std::uint64_t memory_bytes);

  [[nodiscard]] bool interrupts(GuestTime now);
  [[nodiscard]] GuestTime next_event(GuestTime now) const;

  std::uint32_t read(const PortAccess& access) override;
  void write(const PortAccess& access, std::uint32_t value) override;

private:
  static constexpr std::size_t registers = 128;

  void advance(GuestTime now);
  [[nodiscard]] bool stands_still() const;
  [[nodiscard]] std::uint64_t seconds(GuestTime now) const;
  [[nodiscard]] std::uint64_t period() const;  // nanoseconds; 0: none
  [[nodiscard]] bool alarm_meets(std::uint64_t second) const;
  [[nodiscard]] std::uint8_t coded(std::uint32_t number) const;
  [[nodiscard]] std::uint8_t coded_hour(std::uint32_t hour) const;
  void show(std::uint64_t second);
  void take_over(GuestTime now);
  [[nodiscard]] std::uint8_t read_register(std::uint8_t index, GuestTime now);
  void write_register(std::uint8_t index, std::uint8_t value, GuestTime now);

  std::array<std::uint8_t, registers> memory_{};
  std::uint8_t index_ = 0;
  std::uint64_t wall_at_zero_;  // may wrap: only its sum with the guest's seconds counts
  GuestTime advanced_to_{};
};

}  // namespace monitor
