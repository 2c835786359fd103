// One channel of an 8254 interval timer (Intel 8254 data sheet): how it is programmed and read.
// Times are ticks of its clock. A count takes effect one tick after it was written.
//
// Nothing happens at a tick by itself: what has happened since is computed at each access
// (timer_waveform.hpp).
#pragma once

#include <cstdint>
#include <optional>

#include "user/monitor/devices/timer_waveform.hpp"

namespace monitor {

class TimerChannel {
public:
  static constexpr std::uint64_t no_tick = TimerWaveform::no_tick;

  // A control word whose access bits are not 0.
  void set_mode(std::uint8_t control, std::uint64_t tick);
  void latch_count(std::uint64_t tick);
  void latch_status(std::uint64_t tick);
  [[nodiscard]] std::uint8_t read(std::uint64_t tick);
  void write(std::uint8_t value, std::uint64_t tick);
  void set_gate(bool high, std::uint64_t tick);

  [[nodiscard]] bool output(std::uint64_t tick);
  // How often the output has risen from the start up to `tick`.
  [[nodiscard]] std::uint64_t rises(std::uint64_t tick);
  [[nodiscard]] std::uint64_t next_rise(std::uint64_t tick);
  [[nodiscard]] TimerMode mode() const { return wave_.mode; }

private:
  enum class Access : std::uint8_t { Latch = 0, Low = 1, High = 2, Both = 3 };

  void settle(std::uint64_t tick);
  void load(std::uint64_t count, std::uint64_t tick);
  void set_count(std::uint16_t value, std::uint64_t tick);
  void change_output(bool before, std::uint64_t tick);
  [[nodiscard]] std::uint64_t elapsed(std::uint64_t tick) const {
    return stopped_ ? *stopped_ : tick - start_;
  }
  [[nodiscard]] bool output_now(std::uint64_t tick) const;
  [[nodiscard]] bool held_high() const { return is_periodic(wave_.mode) && !gate_; }
  [[nodiscard]] std::uint64_t modulus() const { return decimal_ ? 10'000 : 0x10000; }
  [[nodiscard]] std::uint16_t coded(std::uint64_t value) const;
  [[nodiscard]] std::uint16_t count_now(std::uint64_t tick) const;

  // What a channel does before its first control word is undefined: the output stays high here.
  TimerWaveform wave_{.mode = TimerMode::RateGenerator};
  Access access_ = Access::Both;
  bool decimal_ = false;
  bool gate_ = true;
  bool counting_ = false;                  // a count has been loaded since the control word
  std::uint64_t start_ = 0;                // the tick at which it was loaded
  std::optional<std::uint64_t> stopped_;   // the gate has stopped counting after so many ticks
  std::uint64_t written_ = 0;              // the count that was written last; 0: none
  std::optional<std::uint64_t> loads_at_;  // the tick at which that will be loaded
  std::uint64_t earlier_rises_ = 0;        // before `start_`
  std::uint8_t first_byte_ = 0;
  bool second_write_ = false, second_read_ = false;  // of a count of two bytes
  std::optional<std::uint16_t> latched_count_;
  std::optional<std::uint8_t> latched_status_;
};

}  // namespace monitor
