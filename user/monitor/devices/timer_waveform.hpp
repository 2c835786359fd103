// What one channel of an 8254 does from the moment a count is loaded until the next one is: its
// output and its count after a number of clock ticks (Intel 8254 data sheet, "Mode Definitions").
// Pure arithmetic, so that nothing has to be done at each tick.
#pragma once

#include <cstdint>

namespace monitor {

enum class TimerMode : std::uint8_t {
  TerminalCount = 0,
  OneShot = 1,
  RateGenerator = 2,
  SquareWave = 3,
  SoftwareStrobe = 4,
  HardwareStrobe = 5,
};

[[nodiscard]] constexpr bool is_periodic(TimerMode mode) {
  return mode == TimerMode::RateGenerator || mode == TimerMode::SquareWave;
}
// Counting begins when the gate rises, not when a count is written.
[[nodiscard]] constexpr bool is_triggered(TimerMode mode) {
  return mode == TimerMode::OneShot || mode == TimerMode::HardwareStrobe;
}

struct TimerWaveform {
  static constexpr std::uint64_t no_tick = ~std::uint64_t{0};

  TimerMode mode = TimerMode::TerminalCount;
  std::uint64_t count = 0x10000;  // at least 1; at least 2 in periodic modes
  bool begins_high = true;        // of a square wave: this half is the high one

  // `elapsed` is the number of ticks since the count was loaded.
  [[nodiscard]] bool output(std::uint64_t elapsed) const;
  // How often the output has risen in the ticks 1 to `elapsed`.
  [[nodiscard]] std::uint64_t rises(std::uint64_t elapsed) const;
  // The first tick behind `elapsed` at which the output rises; no_tick: it does not.
  [[nodiscard]] std::uint64_t next_rise(std::uint64_t elapsed) const;
  // The first tick behind `elapsed` at which a periodic mode takes a new count.
  [[nodiscard]] std::uint64_t next_reload(std::uint64_t elapsed) const;
  // The counting element; `modulus` is 10000h, or 10000 for decimal counting.
  [[nodiscard]] std::uint64_t value(std::uint64_t elapsed, std::uint64_t modulus) const;

private:
  [[nodiscard]] std::uint64_t first_half() const {
    return begins_high ? (count + 1) / 2 : count / 2;
  }
  [[nodiscard]] std::uint64_t square_wave_value(std::uint64_t phase) const;
};

}  // namespace monitor
