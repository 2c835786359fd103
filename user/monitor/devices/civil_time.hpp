// The date of a number of seconds since 1970: the way back of drivers::seconds_since_1970().
#pragma once

#include <cstdint>

#include "user/drivers/cmos.hpp"

namespace monitor {

// Gregorian, UTC. Years are counted from March on, in eras of 400 of them.
[[nodiscard]] constexpr drivers::CivilTime civil_time(std::uint64_t seconds) {
  constexpr std::uint64_t day_seconds = 86'400, days_until_1970 = 719'468, era_days = 146'097;
  const std::uint64_t days = seconds / day_seconds + days_until_1970;
  const std::uint64_t era = days / era_days;
  const std::uint64_t day_of_era = days % era_days;
  const std::uint64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint64_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const std::uint64_t year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);
  const std::uint64_t second = seconds % day_seconds;
  const auto word = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  return {.year = word(year),
          .month = word(month),
          .day = word(day_of_year - (153 * month_from_march + 2) / 5 + 1),
          .hour = word(second / 3'600),
          .minute = word(second / 60 % 60),
          .second = word(second % 60)};
}

}  // namespace monitor
