// Messages to the driver that connects the process with the host (user/drivers/services.hpp).
#pragma once

#include <cstdint>

#include "user/drivers/host_channel.hpp"
#include "user/linux/drivers.hpp"

namespace personality {

// Sends one frame with at most REPRISE_MESSAGE_BYTES bytes. Returns 0, or the negative of a
// reprise_error: REPRISE_BAD_ADDRESS is the caller's, all others say that the driver is gone.
[[nodiscard]] native::Result send_to_host(drivers::FrameKind kind, std::uint64_t address,
                                          std::uint64_t bytes, std::uint64_t detail = 0,
                                          std::uint64_t first = 0, std::uint64_t second = 0);

struct HostInput {
  native::Result bytes;     // read; 0: at its end; or the negative of a reprise_error
  std::uint64_t available;  // before the read
};
// With `most` 0 it only says what is available.
[[nodiscard]] HostInput read_from_host(std::uint64_t address, std::uint64_t most, Wait wait);

// The next bytes of the list of files that are to come back; 0: there are no more.
[[nodiscard]] native::Result read_wanted_files(std::uint64_t from, char* buffer,
                                               std::uint64_t room);

}  // namespace personality
