// Clocks in nanoseconds. Each reading ends the processing element.
#pragma once

#include <cstdint>

#include "user/linux/drivers.hpp"
#include "user/linux/native.hpp"

namespace personality {

inline std::uint64_t monotonic_nanoseconds() { return native::time(); }  // since kernel entry

struct TimeSpec {
  std::int64_t seconds, nanoseconds;
};
struct TimeVal {
  std::int64_t seconds, microseconds;
};

inline constexpr std::int64_t second_nanoseconds = 1'000'000'000;

constexpr TimeSpec to_timespec(std::uint64_t nanoseconds) {
  return {static_cast<std::int64_t>(nanoseconds / second_nanoseconds),
          static_cast<std::int64_t>(nanoseconds % second_nanoseconds)};
}
constexpr bool is_valid(const TimeSpec& time) {
  return time.seconds >= 0 && time.nanoseconds >= 0 && time.nanoseconds < second_nanoseconds;
}
// Saturates: a time that far away never comes.
constexpr std::uint64_t to_nanoseconds(const TimeSpec& time) {
  constexpr std::int64_t far = 9'000'000'000;
  const std::int64_t seconds = time.seconds < far ? time.seconds : far;
  return static_cast<std::uint64_t>(seconds * second_nanoseconds + time.nanoseconds);
}

}  // namespace personality
