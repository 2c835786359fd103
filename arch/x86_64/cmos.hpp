// The CMOS clock (MC146818A data sheet): wall-clock time, once a second, in whatever format the
// firmware has chosen. A reading counts when the clock was not being updated and a second reading
// agrees with it; both waits are bounded. Ports come as a type for the host tests.
#pragma once

#include <cstdint>
#include <optional>

namespace arch {

struct CivilTime {
  std::uint32_t year, month, day, hour, minute, second;
  friend bool operator==(const CivilTime&, const CivilTime&) = default;
};

// Seconds since 1970-01-01 UTC; the clock is taken to keep UTC.
[[nodiscard]] constexpr std::uint64_t seconds_since_1970(const CivilTime& t) {
  // Days by the Gregorian rule, counting years from March so that the leap day comes last.
  const std::uint64_t year = t.month <= 2 ? t.year - 1 : t.year;
  const std::uint64_t month = t.month <= 2 ? t.month + 9 : t.month - 3;
  const std::uint64_t days = 365 * year + year / 4 - year / 100 + year / 400 +
                             (153 * month + 2) / 5 + t.day - 1;
  constexpr std::uint64_t days_until_1970 = 719'468;
  return (((days - days_until_1970) * 24 + t.hour) * 60 + t.minute) * 60 + t.second;
}

template <class Ports>
class Cmos {
public:
  // Nothing when the clock does not answer or shows no date. `century_register` is the FADT's; 0
  // when there is none.
  [[nodiscard]] static std::optional<CivilTime> read(std::uint8_t century_register);

private:
  enum Index : std::uint8_t {
    Seconds = 0, Minutes = 2, Hours = 4, Day = 7, Month = 8, Year = 9, StatusA = 10, StatusB = 11,
  };
  static constexpr std::uint16_t index_port = 0x70;
  static constexpr std::uint16_t data_port = 0x71;
  static constexpr std::uint8_t nmi_off = 0x80;  // in the index: left clear, NMI stays on
  static constexpr std::uint8_t updating = 0x80;      // status A
  static constexpr std::uint8_t binary = 4;           // status B
  static constexpr std::uint8_t twenty_four_hours = 2;
  static constexpr std::uint8_t afternoon = 0x80;     // in the hours of a 12-hour clock
  static constexpr unsigned patience = 20'000;  // looks; an update takes 2 ms, a look over 1 us

  static std::uint8_t get(std::uint8_t index) {
    Ports::write8(index_port, static_cast<std::uint8_t>(index & ~nmi_off));
    return Ports::read8(data_port);
  }
  static CivilTime raw(std::uint8_t century_register);
  static std::optional<CivilTime> decode(CivilTime raw, std::uint8_t century_register);
};

template <class Ports>
CivilTime Cmos<Ports>::raw(std::uint8_t century_register) {
  const std::uint32_t century = century_register != 0 ? get(century_register) : 0u;
  return {century << 8 | get(Year), get(Month), get(Day), get(Hours), get(Minutes), get(Seconds)};
}

template <class Ports>
std::optional<CivilTime> Cmos<Ports>::decode(CivilTime t, std::uint8_t century_register) {
  const std::uint8_t format = get(StatusB);
  const auto number = [&](std::uint32_t value) {
    return (format & binary) != 0 ? value : (value >> 4) * 10 + (value & 15);
  };
  const bool pm = (t.hour & afternoon) != 0 && (format & twenty_four_hours) == 0;
  std::uint32_t hour = number(pm ? t.hour & ~std::uint32_t{afternoon} : t.hour);
  if ((format & twenty_four_hours) == 0) hour = hour % 12 + (pm ? 12 : 0);
  const std::uint32_t century = number(t.year >> 8);
  const bool century_sane = century_register != 0 && century >= 19 && century <= 22;
  const CivilTime time{(century_sane ? century : 20) * 100 + number(t.year & 0xff),
                       number(t.month), number(t.day), hour, number(t.minute), number(t.second)};
  const bool is_date = time.year >= 1970 && time.month >= 1 && time.month <= 12 && time.day >= 1 &&
                       time.day <= 31 && time.hour < 24 && time.minute < 60 && time.second < 62;
  return is_date ? std::optional{time} : std::nullopt;
}

template <class Ports>
std::optional<CivilTime> Cmos<Ports>::read(std::uint8_t century_register) {
  CivilTime last{};
  for (unsigned look = 0; look < patience; ++look) {
    if ((get(StatusA) & updating) != 0) continue;
    const CivilTime now = raw(century_register);
    if (now == last) return decode(now, century_register);
    last = now;
  }
  return std::nullopt;
}

}  // namespace arch
