// The 8254 interval timer of a PC at ports 40h to 43h, and port 61h beside it. Channel 0 makes
// interrupts on line 0. Channel 1 does nothing. Channel 2 belongs to the speaker: port 61h has its
// gate and its output, and a bit that changes at each refresh of the memory.
#pragma once

#include <array>
#include <cstdint>

#include "user/monitor/devices/timer_channel.hpp"
#include "user/monitor/port_device.hpp"

namespace monitor {

class IntervalTimer final : public PortDevice {
public:
  static constexpr std::uint64_t hertz = 1'193'182;
  static constexpr std::uint16_t first_port = 0x40, control_port = 0x43, system_port = 0x61;

  IntervalTimer() { channels_[speaker].set_gate(false, 0); }

  // Whether line 0 has risen since the last call, and whether it is high. The one tick for which
  // modes 2 and 4 lower their output is not shown: it ends with the next rise.
  struct Line {
    bool rose, high;
  };
  [[nodiscard]] Line take_line(GuestTime now);
  // When line 0 may rise next.
  [[nodiscard]] GuestTime next_event(GuestTime now);

  std::uint32_t read(const PortAccess& access) override;
  void write(const PortAccess& access, std::uint32_t value) override;

private:
  static constexpr unsigned interrupt = 0, speaker = 2, channel_count = 3;

  [[nodiscard]] std::uint8_t read_system_port(GuestTime now);
  void control(std::uint8_t value, std::uint64_t tick);
  void read_back(std::uint8_t value, std::uint64_t tick);

  std::array<TimerChannel, channel_count> channels_{};
  std::uint64_t rises_seen_ = 0;
  std::uint8_t system_bits_ = 0;  // of port 61h, those that are kept as written
};

}  // namespace monitor
