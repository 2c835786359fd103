// See real_time_clock.hpp.
#include "user/monitor/devices/real_time_clock.hpp"

#include "user/monitor/devices/civil_time.hpp"

namespace monitor {
namespace {

enum Register : std::uint8_t {
  Seconds = 0x00,
  SecondsAlarm = 0x01,
  Minutes = 0x02,
  MinutesAlarm = 0x03,
  Hours = 0x04,
  HoursAlarm = 0x05,
  WeekDay = 0x06,
  Day = 0x07,
  Month = 0x08,
  Year = 0x09,
  StatusA = 0x0a,
  StatusB = 0x0b,
  StatusC = 0x0c,
  StatusD = 0x0d,
  Equipment = 0x14,
  BaseMemoryLow = 0x15,
  BaseMemoryHigh = 0x16,
  ExtendedLow = 0x17,
  ExtendedHigh = 0x18,
  ExtendedLowAgain = 0x30,
  ExtendedHighAgain = 0x31,
  Century = 0x32,
  UpperLow = 0x34,
  UpperHigh = 0x35,
};

constexpr std::uint8_t a_updating = 0x80, a_divider = 0x70, a_runs = 0x20, a_rate = 0x0f;
constexpr std::uint8_t b_set = 0x80, b_periodic = 0x40, b_alarm = 0x20, b_update = 0x10,
                       b_binary = 0x04, b_24_hours = 0x02;
constexpr std::uint8_t flags = b_periodic | b_alarm | b_update, c_interrupt = 0x80;
constexpr std::uint8_t d_valid = 0x80;
constexpr std::uint8_t afternoon = 0x80;  // of a 12-hour clock
constexpr std::uint8_t any = 0xc0;        // an alarm register with both bits meets everything

// Before each second the clock says for so long that it is about to change: t_BUC and t_UC of the
// data sheet with a crystal of 32,768 Hz.
constexpr std::uint64_t update_time = 244'000 + 1'984'000;

bool is_time_register(std::uint8_t index) {
  const bool is_alarm = index == SecondsAlarm || index == MinutesAlarm || index == HoursAlarm;
  return (index <= Year && !is_alarm) || index == Century;
}

std::uint8_t low(std::uint64_t value) { return static_cast<std::uint8_t>(value); }
std::uint8_t high(std::uint64_t value) { return static_cast<std::uint8_t>(value >> 8); }

}  // namespace

RealTimeClock::RealTimeClock(std::uint64_t wall_seconds, std::uint64_t memory_bytes)
    : wall_at_zero_{wall_seconds} {
  constexpr std::uint64_t kib = 1024, mib = kib * kib, most = 0xffff;
  const std::uint64_t above_1 = memory_bytes > mib ? (memory_bytes - mib) / kib : 0;
  const std::uint64_t above_16 =
      memory_bytes > 16 * mib ? (memory_bytes - 16 * mib) / (64 * kib) : 0;
  const std::uint64_t extended = above_1 < most ? above_1 : most;
  const std::uint64_t upper = above_16 < most ? above_16 : most;
  constexpr std::uint64_t base = 640;
  memory_[StatusA] = a_runs | 6;  // 1,024 Hz, as firmware sets it
  memory_[StatusB] = b_24_hours;
  memory_[BaseMemoryLow] = low(base);
  memory_[BaseMemoryHigh] = high(base);
  memory_[ExtendedLow] = memory_[ExtendedLowAgain] = low(extended);
  memory_[ExtendedHigh] = memory_[ExtendedHighAgain] = high(extended);
  memory_[UpperLow] = low(upper);
  memory_[UpperHigh] = high(upper);
}

bool RealTimeClock::stands_still() const {
  return (memory_[StatusB] & b_set) != 0 || (memory_[StatusA] & a_divider) != a_runs;
}

std::uint64_t RealTimeClock::seconds(GuestTime now) const {
  return wall_at_zero_ + now.value() / nanoseconds_per_second;
}

std::uint64_t RealTimeClock::period() const {
  const unsigned rate = memory_[StatusA] & a_rate;
  if (rate == 0 || (memory_[StatusA] & a_divider) != a_runs) return 0;
  constexpr std::uint64_t crystal = 32'768;
  // Rates 1 and 2 are those of 8 and 9 at this crystal.
  const unsigned shift = rate <= 2 ? rate + 6 : rate - 1;
  return (nanoseconds_per_second << shift) / crystal;
}

std::uint8_t RealTimeClock::coded(std::uint32_t number) const {
  if ((memory_[StatusB] & b_binary) != 0) return low(number);
  return low(number / 10 << 4 | number % 10);
}

std::uint8_t RealTimeClock::coded_hour(std::uint32_t hour) const {
  if ((memory_[StatusB] & b_24_hours) != 0) return coded(hour);
  const std::uint32_t shown = hour % 12 == 0 ? 12 : hour % 12;
  return static_cast<std::uint8_t>(coded(shown) | (hour >= 12 ? afternoon : 0));
}

void RealTimeClock::show(std::uint64_t second) {
  const drivers::CivilTime time = civil_time(second);
  constexpr std::uint64_t thursday = 4;  // 1970-01-01, when Sunday is 0
  const auto week_day = static_cast<std::uint32_t>((second / 86'400 + thursday) % 7 + 1);
  memory_[Seconds] = coded(time.second);
  memory_[Minutes] = coded(time.minute);
  memory_[Hours] = coded_hour(time.hour);
  memory_[WeekDay] = coded(week_day);
  memory_[Day] = coded(time.day);
  memory_[Month] = coded(time.month);
  memory_[Year] = coded(time.year % 100);
  memory_[Century] = coded(time.year / 100);
}

// The registers as the guest has written them are the time from now on.
void RealTimeClock::take_over(GuestTime now) {
  const std::uint32_t year = std::uint32_t{memory_[Century]} << 8 | memory_[Year];
  const auto time = drivers::decode_cmos({.year = year,
                                          .month = memory_[Month],
                                          .day = memory_[Day],
                                          .hour = memory_[Hours],
                                          .minute = memory_[Minutes],
                                          .second = memory_[Seconds]},
                                         memory_[StatusB]);
  if (!time) return;  // not a date: the clock goes on from its own
  wall_at_zero_ = drivers::seconds_since_1970(*time) - now.value() / nanoseconds_per_second;
}

bool RealTimeClock::alarm_meets(std::uint64_t second) const {
  const auto meets = [](std::uint8_t alarm, std::uint8_t value) {
    return (alarm & any) == any || alarm == value;
  };
  const drivers::CivilTime time = civil_time(second);
  return meets(memory_[SecondsAlarm], coded(time.second)) &&
         meets(memory_[MinutesAlarm], coded(time.minute)) &&
         meets(memory_[HoursAlarm], coded_hour(time.hour));
}

// Sets the interrupt flags in status C that time has brought since the last call.
void RealTimeClock::advance(GuestTime now) {
  const std::uint64_t before = advanced_to_.value();
  advanced_to_ = now;
  if (const std::uint64_t p = period(); p != 0 && now.value() / p != before / p) {
    memory_[StatusC] |= b_periodic;
  }
  if (stands_still()) return;
  const std::uint64_t last = seconds(now);
  std::uint64_t second = seconds(GuestTime{before});
  if (second == last) return;
  memory_[StatusC] |= b_update;
  constexpr std::uint64_t day = 86'400;  // in more seconds than these the alarm meets anyway
  if (last - second > day) second = last - day;
  while (second != last && (memory_[StatusC] & b_alarm) == 0) {
    ++second;
    if (alarm_meets(second)) memory_[StatusC] |= b_alarm;
  }
}

bool RealTimeClock::interrupts(GuestTime now) {
  advance(now);
  return (memory_[StatusB] & memory_[StatusC] & flags) != 0;
}

GuestTime RealTimeClock::next_event(GuestTime now) const {
  const auto enabled = static_cast<std::uint8_t>(memory_[StatusB] & ~memory_[StatusC] & flags);
  const auto next_multiple = [&](std::uint64_t step) {
    return GuestTime{(now.value() / step + 1) * step};
  };
  GuestTime next = never;
  if ((enabled & b_periodic) != 0 && period() != 0) next = next_multiple(period());
  const bool each_second = (enabled & (b_update | b_alarm)) != 0 && !stands_still();
  return each_second ? sooner(next, next_multiple(nanoseconds_per_second)) : next;
}

std::uint32_t RealTimeClock::read(const PortAccess& access) {
  return access.port == data_port ? read_register(index_, access.now) : 0xff;
}

void RealTimeClock::write(const PortAccess& access, std::uint32_t value) {
  constexpr std::uint32_t index_bits = 0x7f;  // the highest bit turns off NMIs, which do not come
  if (access.port == index_port) {
    index_ = static_cast<std::uint8_t>(value & index_bits);
  } else {
    write_register(index_, static_cast<std::uint8_t>(value), access.now);
  }
}

std::uint8_t RealTimeClock::read_register(std::uint8_t index, GuestTime now) {
  advance(now);
  if (is_time_register(index) && !stands_still()) show(seconds(now));
  switch (index) {
    case StatusA: {
      const std::uint64_t left = nanoseconds_per_second - now.value() % nanoseconds_per_second;
      const bool updating = !stands_still() && left <= update_time;
      return static_cast<std::uint8_t>(memory_[StatusA] | (updating ? a_updating : 0));
    }
    case StatusC: {
      const std::uint8_t happened = memory_[StatusC];
      const bool asks = (happened & memory_[StatusB] & flags) != 0;
      memory_[StatusC] = 0;
      return static_cast<std::uint8_t>(happened | (asks ? c_interrupt : 0));
    }
    case StatusD: return d_valid;
    default: return memory_[index];
  }
}

void RealTimeClock::write_register(std::uint8_t index, std::uint8_t value, GuestTime now) {
  advance(now);
  if (index == StatusC || index == StatusD) return;
  const bool stood = stands_still();
  if (!stood) show(seconds(now));  // in the format of before
  if (index == StatusA) value &= static_cast<std::uint8_t>(~a_updating);
  memory_[index] = value;
  const bool starts = stood && !stands_still();
  const bool set_while_running = !stood && is_time_register(index);
  if (starts || set_while_running) take_over(now);
}

}  // namespace monitor
