// See interval_timer.hpp.
#include "user/monitor/devices/interval_timer.hpp"

#include "kernel/base/arithmetic.hpp"

namespace monitor {
namespace {

constexpr std::uint64_t hertz = IntervalTimer::hertz;

std::uint64_t tick_at(GuestTime now) {
  return reprise::scale(now.value(), hertz, nanoseconds_per_second);
}

// The first nanosecond at which that tick has come.
GuestTime time_of(std::uint64_t tick) {
  if (tick == TimerChannel::no_tick) return never;
  const std::uint64_t rest = tick % hertz * nanoseconds_per_second;
  return GuestTime{tick / hertz * nanoseconds_per_second + (rest + hertz - 1) / hertz};
}

}  // namespace

IntervalTimer::Line IntervalTimer::take_line(GuestTime now) {
  TimerChannel& channel = channels_[interrupt];
  const std::uint64_t rises = channel.rises(tick_at(now));
  const bool rose = rises != rises_seen_;
  rises_seen_ = rises;
  const bool falls_for_one_tick =
      channel.mode() == TimerMode::RateGenerator || channel.mode() == TimerMode::SoftwareStrobe;
  return {.rose = rose, .high = falls_for_one_tick || channel.output(tick_at(now))};
}

GuestTime IntervalTimer::next_event(GuestTime now) {
  return time_of(channels_[interrupt].next_rise(tick_at(now)));
}

std::uint32_t IntervalTimer::read(const PortAccess& access) {
  if (access.port == system_port) return read_system_port(access.now);
  if (access.port == control_port) return 0xff;
  return channels_[access.port - first_port].read(tick_at(access.now));
}

void IntervalTimer::write(const PortAccess& access, std::uint32_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  const std::uint64_t tick = tick_at(access.now);
  if (access.port == system_port) {
    constexpr std::uint8_t kept = 0x0f, gate = 1;
    system_bits_ = byte & kept;
    channels_[speaker].set_gate((byte & gate) != 0, tick);
  } else if (access.port == control_port) {
    control(byte, tick);
  } else {
    channels_[access.port - first_port].write(byte, tick);
  }
}

void IntervalTimer::control(std::uint8_t value, std::uint64_t tick) {
  const unsigned channel = value >> 6;
  constexpr std::uint8_t access_bits = 0x30;
  if (channel == channel_count) {
    read_back(value, tick);
  } else if ((value & access_bits) == 0) {
    channels_[channel].latch_count(tick);
  } else {
    channels_[channel].set_mode(value, tick);
  }
}

void IntervalTimer::read_back(std::uint8_t value, std::uint64_t tick) {
  constexpr std::uint8_t no_count = 0x20, no_status = 0x10;
  for (unsigned i = 0; i < channel_count; ++i) {
    if ((value >> (i + 1) & 1) == 0) continue;
    if ((value & no_count) == 0) channels_[i].latch_count(tick);
    if ((value & no_status) == 0) channels_[i].latch_status(tick);
  }
}

std::uint8_t IntervalTimer::read_system_port(GuestTime now) {
  constexpr std::uint64_t refresh = 15'085;  // nanoseconds: 18 ticks of the timer
  constexpr unsigned refresh_bit = 0x10, output_bit = 0x20;
  const bool refreshed = now.value() / refresh % 2 != 0;
  const bool output = channels_[speaker].output(tick_at(now));
  return static_cast<std::uint8_t>(system_bits_ | (refreshed ? refresh_bit : 0) |
                                   (output ? output_bit : 0));
}

}  // namespace monitor
