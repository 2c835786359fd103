// The drivers' services, by messages (REPRISE_CALL). A request's first word is the operation, an
// answer's first word the status. Init finds a driver by its program's name (REPRISE_FIND).
#pragma once

#include <cstdint>
#include <string_view>

namespace service {

enum Status : std::uint64_t {
  Ok = 0,
  WouldBlock = 1,
  Unknown = 2
};  // Unknown: the operation does not exist

inline constexpr std::string_view terminal_name = "terminal";
// Arguments: most bytes, flags. The answer comes when there is input. Without bytes, it means the
// end of the input.
inline constexpr std::uint64_t terminal_read = 1;
inline constexpr std::uint64_t terminal_read_now = 1;  // flag: WouldBlock rather than wait

inline constexpr std::string_view clock_name = "clock";
// No arguments. The answer's second word is the wall clock at kernel entry, in nanoseconds since
// 1970 UTC. The caller adds REPRISE_TIME. 0: the machine has no clock.
inline constexpr std::uint64_t clock_wall = 1;

}  // namespace service
