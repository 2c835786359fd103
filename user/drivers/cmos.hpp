// The CMOS clock (MC146818A data sheet): the wall-clock time in seconds, in the format that the
// firmware chose. A reading counts when the clock was not being updated and a second reading agrees
// with it; both waits are bounded. The ports are a template argument, for the host tests.
#pragma once

#include <cstdint>
#include <optional>

namespace drivers {

struct CivilTime {
  std::uint32_t year, month, day, hour, minute, second;
  friend bool operator==(const CivilTime&, const CivilTime&) = default;
};

// Seconds since 1970-01-01 UTC. The clock is assumed to keep UTC.
[[nodiscard]] constexpr std::uint64_t seconds_since_1970(const CivilTime& t) {
  // Days by the Gregorian rule. Years begin in March, which puts the leap day last. There are no
  // branches: where time counts instructions, a boot must not depend on the date.
  const std::uint64_t before_march = (14 - t.month) / 12;
  const std::uint64_t year = t.year - before_march;
  const std::uint64_t month = t.month + 12 * before_march - 3;
  const std::uint64_t days =
      365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + t.day - 1;
  constexpr std::uint64_t days_until_1970 = 719'468;
  return (((days - days_until_1970) * 24 + t.hour) * 60 + t.minute) * 60 + t.second;
}

// The date in the registers; `format` (status B) says how they are coded. The century stands above
// the year's byte.
[[nodiscard]] constexpr std::optional<CivilTime> decode_cmos(CivilTime raw, std::uint8_t format) {
  constexpr std::uint8_t binary = 4, twenty_four_hours = 2;
  constexpr std::uint32_t afternoon = 0x80;  // in the hours of a 12-hour clock
  const auto number = [&](std::uint32_t value) {
    return (format & binary) != 0 ? value : (value >> 4) * 10 + (value & 15);
  };
  CivilTime time{number(raw.year & 0xff), number(raw.month),  number(raw.day),
                 number(raw.hour),        number(raw.minute), number(raw.second)};
  if ((format & twenty_four_hours) == 0) {
    time.hour = number(raw.hour & ~afternoon) % 12 + ((raw.hour & afternoon) != 0 ? 12 : 0);
  }
  const std::uint32_t century = number(raw.year >> 8);
  time.year += (century >= 19 && century <= 22 ? century : 20) * 100;
  const bool is_date = time.year >= 1970 && time.month >= 1 && time.month <= 12 && time.day >= 1 &&
                       time.day <= 31 && time.hour < 24 && time.minute < 60 && time.second < 62;
  return is_date ? std::optional{time} : std::nullopt;
}

// Nothing when the clock does not answer or shows no date. `century_register` is the FADT's; 0 when
// there is none.
template <class Ports>
[[nodiscard]] std::optional<CivilTime> read_cmos_clock(std::uint8_t century_register) {
  enum Index : std::uint8_t {
    Seconds = 0,
    Minutes = 2,
    Hours = 4,
    Day = 7,
    Month = 8,
    Year = 9,
    StatusA = 10,
    StatusB = 11,
  };
  constexpr std::uint8_t updating = 0x80;  // status A
  constexpr unsigned patience = 20'000;    // looks; an update takes 2 ms, a look over 1 us
  const auto get = [](unsigned index) -> std::uint32_t {
    Ports::write8(0x70, static_cast<std::uint8_t>(index & 0x7f));  // bit 7 would turn off NMI
    return Ports::read8(0x71);
  };
  CivilTime last{};
  for (unsigned look = 0; look < patience; ++look) {
    if ((get(StatusA) & updating) != 0) continue;
    const std::uint32_t century = century_register != 0 ? get(century_register) : 0;
    const CivilTime now{
        century << 8 | get(Year), get(Month), get(Day), get(Hours), get(Minutes), get(Seconds)};
    if (now == last) return decode_cmos(now, static_cast<std::uint8_t>(get(StatusB)));
    last = now;
  }
  return std::nullopt;
}

}  // namespace drivers
