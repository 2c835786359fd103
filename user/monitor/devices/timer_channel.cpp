// See timer_channel.hpp.
#include "user/monitor/devices/timer_channel.hpp"

namespace monitor {
namespace {

std::uint64_t number_of_decimal(std::uint16_t code) {
  return (code >> 12 & 15u) * 1000u + (code >> 8 & 15u) * 100u + (code >> 4 & 15u) * 10u +
         (code & 15u);
}

TimerMode mode_of(std::uint8_t control) {
  const unsigned number = control >> 1 & 7u;
  constexpr unsigned aliases = 6;  // modes 6 and 7 are 2 and 3
  return static_cast<TimerMode>(number >= aliases ? number - 4 : number);
}

std::uint8_t low(std::uint16_t value) { return static_cast<std::uint8_t>(value); }
std::uint8_t high(std::uint16_t value) { return static_cast<std::uint8_t>(value >> 8); }

}  // namespace

void TimerChannel::set_mode(std::uint8_t control, std::uint64_t tick) {
  settle(tick);
  const bool before = output_now(tick);
  if (counting_ && !held_high()) earlier_rises_ += wave_.rises(elapsed(tick));
  access_ = static_cast<Access>(control >> 4 & 3u);
  decimal_ = (control & 1) != 0;
  wave_ = {.mode = mode_of(control)};
  counting_ = false;
  written_ = 0;
  loads_at_.reset();
  stopped_.reset();
  second_write_ = second_read_ = false;
  latched_count_.reset();
  latched_status_.reset();
  change_output(before, tick);
}

// Counts a rise that no waveform tells of.
void TimerChannel::change_output(bool before, std::uint64_t tick) {
  if (!before && output_now(tick)) ++earlier_rises_;
}

// Loads a count whose time has come.
void TimerChannel::settle(std::uint64_t tick) {
  if (!loads_at_ || *loads_at_ > tick) return;
  const std::uint64_t at = *loads_at_;
  loads_at_.reset();
  load(written_, at);
}

void TimerChannel::load(std::uint64_t count, std::uint64_t tick) {
  const bool before = output_now(tick);
  const bool goes_on = counting_ && !held_high();
  bool begins_high = true;
  if (goes_on) {
    earlier_rises_ += wave_.rises(elapsed(tick));
    begins_high = wave_.mode != TimerMode::SquareWave || before;
  }
  wave_.count = count;
  wave_.begins_high = begins_high;
  start_ = tick;
  counting_ = true;
  stopped_.reset();
  if (!gate_ && !is_triggered(wave_.mode)) stopped_ = 0;
  change_output(before, tick);
}

bool TimerChannel::output_now(std::uint64_t tick) const {
  if (held_high()) return true;
  if (!counting_) return wave_.mode != TimerMode::TerminalCount;
  // A new count in mode 0 lowers the output at once.
  if (wave_.mode == TimerMode::TerminalCount && (loads_at_ || second_write_)) return false;
  return wave_.output(elapsed(tick));
}

bool TimerChannel::output(std::uint64_t tick) {
  settle(tick);
  return output_now(tick);
}

std::uint64_t TimerChannel::rises(std::uint64_t tick) {
  settle(tick);
  const bool counts = counting_ && !held_high();
  return earlier_rises_ + (counts ? wave_.rises(elapsed(tick)) : 0);
}

std::uint64_t TimerChannel::next_rise(std::uint64_t tick) {
  settle(tick);
  std::uint64_t rise = no_tick;
  if (counting_ && !stopped_ && !held_high()) {
    const std::uint64_t after = wave_.next_rise(tick - start_);
    if (after != no_tick) rise = start_ + after;
  }
  // The tick of the load serves as well: a caller that looks again then sees the rest.
  const bool loads_first = loads_at_ && *loads_at_ < rise;
  return loads_first ? *loads_at_ : rise;
}

void TimerChannel::write(std::uint8_t value, std::uint64_t tick) {
  settle(tick);
  switch (access_) {
    case Access::Latch: return;
    case Access::Low: return set_count(value, tick);
    case Access::High: return set_count(static_cast<std::uint16_t>(value << 8), tick);
    case Access::Both: break;
  }
  if (second_write_) {
    second_write_ = false;
    return set_count(static_cast<std::uint16_t>(value << 8 | first_byte_), tick);
  }
  first_byte_ = value;
  second_write_ = true;
  // The first byte stops a count in mode 0.
  if (wave_.mode == TimerMode::TerminalCount && counting_) {
    earlier_rises_ += wave_.rises(elapsed(tick));
    counting_ = false;
  }
}

void TimerChannel::set_count(std::uint16_t value, std::uint64_t tick) {
  const std::uint64_t number = decimal_ ? number_of_decimal(value) : value;
  written_ = number == 0 ? modulus() : number;
  if (is_periodic(wave_.mode) && written_ == 1) written_ = 2;  // 1 is not allowed
  if (is_triggered(wave_.mode)) return;
  if (is_periodic(wave_.mode) && !gate_) return;
  if (!is_periodic(wave_.mode) || !counting_) {
    loads_at_ = tick + 1;
  } else if (!loads_at_) {
    loads_at_ = start_ + wave_.next_reload(elapsed(tick));
  }
}

void TimerChannel::set_gate(bool high, std::uint64_t tick) {
  if (high == gate_) return;
  settle(tick);
  const bool before = output_now(tick);
  if (is_triggered(wave_.mode)) {
    if (high && written_ != 0) loads_at_ = tick + 1;
  } else if (is_periodic(wave_.mode)) {
    if (!high && counting_) earlier_rises_ += wave_.rises(elapsed(tick));
    counting_ = false;
    loads_at_.reset();
    if (high && written_ != 0) loads_at_ = tick + 1;
  } else if (!high) {
    if (counting_) stopped_ = elapsed(tick);
  } else if (stopped_) {
    start_ = tick - *stopped_;
    stopped_.reset();
  }
  gate_ = high;
  change_output(before, tick);
}

std::uint16_t TimerChannel::coded(std::uint64_t value) const {
  if (!decimal_) return static_cast<std::uint16_t>(value);
  return static_cast<std::uint16_t>(value / 1000 % 10 << 12 | value / 100 % 10 << 8 |
                                    value / 10 % 10 << 4 | value % 10);
}

std::uint16_t TimerChannel::count_now(std::uint64_t tick) const {
  if (!counting_) return coded(written_ % modulus());
  return coded(wave_.value(elapsed(tick), modulus()));
}

void TimerChannel::latch_count(std::uint64_t tick) {
  settle(tick);
  if (!latched_count_) latched_count_ = count_now(tick);
}

void TimerChannel::latch_status(std::uint64_t tick) {
  settle(tick);
  if (latched_status_) return;
  constexpr unsigned output_bit = 0x80, null_count_bit = 0x40;
  const bool null_count = !counting_ || loads_at_ || second_write_;
  const unsigned status = (output_now(tick) ? output_bit : 0) | (null_count ? null_count_bit : 0) |
                          static_cast<unsigned>(access_) << 4 |
                          static_cast<unsigned>(wave_.mode) << 1 | (decimal_ ? 1u : 0u);
  latched_status_ = static_cast<std::uint8_t>(status);
}

std::uint8_t TimerChannel::read(std::uint64_t tick) {
  settle(tick);
  if (latched_status_) {
    const std::uint8_t status = *latched_status_;
    latched_status_.reset();
    return status;
  }
  const std::uint16_t count = latched_count_ ? *latched_count_ : count_now(tick);
  const bool first_of_two = access_ == Access::Both && !second_read_;
  second_read_ = first_of_two;
  if (!first_of_two) latched_count_.reset();
  const bool is_high = access_ == Access::High || (access_ == Access::Both && !first_of_two);
  return is_high ? high(count) : low(count);
}

}  // namespace monitor
