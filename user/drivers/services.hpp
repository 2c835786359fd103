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

// The host that runs this machine: programs' standard streams, and files that come back. Only with
// streams=host; a process finds the driver's number in its start block (stream_server).
inline constexpr std::string_view host_name = "host";
// The first word is this operation, the frame's kind (host_channel.hpp) from bit 8 on, and its
// detail from bit 32 on. Two words and the bytes go into the frame as they are. The answer comes
// when the channel has all of it.
inline constexpr std::uint64_t host_send = 1;
// Arguments: most bytes, flags. The answer comes when there is input; without bytes, it means the
// end of the input. With 0 as the most it takes nothing: the answer's second word is how many bytes
// there are, 0 at the end.
inline constexpr std::uint64_t host_read = 2;
inline constexpr std::uint64_t host_read_now = 1;  // flag: WouldBlock rather than wait
// Argument: from which byte on. The answer has the next bytes of the list of files that the host
// asks for: names, each with its NUL; "/" alone stands for all that the program made or changed.
inline constexpr std::uint64_t host_wanted = 3;

[[nodiscard]] constexpr std::uint64_t host_sends(std::uint64_t kind, std::uint64_t detail = 0) {
  return host_send | kind << 8 | detail << 32;
}

inline constexpr std::string_view clock_name = "clock";
// No arguments. The answer's second word is the wall clock at kernel entry, in nanoseconds since
// 1970 UTC. The caller adds REPRISE_TIME. 0: the machine has no clock.
inline constexpr std::uint64_t clock_wall = 1;

}  // namespace service
