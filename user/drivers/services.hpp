// What the drivers do for others, by messages (REPRISE_CALL): the first word is the operation, of
// the answer the status. Init knows them by the names of their programs (REPRISE_FIND).
#pragma once

#include <cstdint>
#include <string_view>

namespace service {

enum Status : std::uint64_t { Ok = 0, WouldBlock = 1, Unknown = 2 };  // Unknown: no such operation

inline constexpr std::string_view terminal_name = "terminal";
// (most bytes, flags): answered with bytes when there is input, with none at its end.
inline constexpr std::uint64_t terminal_read = 1;
inline constexpr std::uint64_t terminal_read_now = 1;  // flag: WouldBlock rather than wait

inline constexpr std::string_view clock_name = "clock";
// (): the second word is the wall clock at kernel entry, in nanoseconds since 1970 UTC;
// REPRISE_TIME is to be added. 0 when the machine has no clock.
inline constexpr std::uint64_t clock_wall = 1;

}  // namespace service
