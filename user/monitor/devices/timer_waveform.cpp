// See timer_waveform.hpp.
#include "user/monitor/devices/timer_waveform.hpp"

namespace monitor {

bool TimerWaveform::output(std::uint64_t elapsed) const {
  switch (mode) {
    case TimerMode::TerminalCount:
    case TimerMode::OneShot: return elapsed >= count;
    case TimerMode::RateGenerator: return elapsed % count != count - 1;
    case TimerMode::SquareWave: return (elapsed % count < first_half()) == begins_high;
    case TimerMode::SoftwareStrobe:
    case TimerMode::HardwareStrobe: return elapsed != count;
  }
  return true;
}

std::uint64_t TimerWaveform::rises(std::uint64_t elapsed) const {
  switch (mode) {
    case TimerMode::TerminalCount:
    case TimerMode::OneShot: return elapsed >= count ? 1 : 0;
    case TimerMode::RateGenerator: return elapsed / count;
    case TimerMode::SquareWave:
      if (begins_high) return elapsed / count;
      return elapsed < first_half() ? 0 : (elapsed - first_half()) / count + 1;
    case TimerMode::SoftwareStrobe:
    case TimerMode::HardwareStrobe: return elapsed > count ? 1 : 0;
  }
  return 0;
}

std::uint64_t TimerWaveform::next_rise(std::uint64_t elapsed) const {
  const std::uint64_t done = rises(elapsed);
  if (is_periodic(mode)) {
    const bool starts_low = mode == TimerMode::SquareWave && !begins_high;
    return starts_low ? first_half() + done * count : (done + 1) * count;
  }
  if (done != 0) return no_tick;
  const bool ends_count = mode == TimerMode::TerminalCount || mode == TimerMode::OneShot;
  return ends_count ? count : count + 1;
}

std::uint64_t TimerWaveform::next_reload(std::uint64_t elapsed) const {
  const std::uint64_t period_start = elapsed - elapsed % count;
  const bool in_first_half = elapsed % count < first_half();
  if (mode == TimerMode::SquareWave && in_first_half) return period_start + first_half();
  return period_start + count;
}

std::uint64_t TimerWaveform::value(std::uint64_t elapsed, std::uint64_t modulus) const {
  if (mode == TimerMode::SquareWave) return square_wave_value(elapsed % count) % modulus;
  if (mode == TimerMode::RateGenerator) return (count - elapsed % count) % modulus;
  return (count % modulus + modulus - elapsed % modulus) % modulus;
}

// It counts by twos, once from the count to 0 while the output is high and once while it is low. Of
// an odd count it begins one less.
std::uint64_t TimerWaveform::square_wave_value(std::uint64_t phase) const {
  const std::uint64_t in_half = phase < first_half() ? phase : phase - first_half();
  return (count & ~std::uint64_t{1}) - 2 * in_half;
}

}  // namespace monitor
