// The drivers' services as functions (user/drivers/services.hpp): standard streams and the wall
// clock.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/abi/reprise.h"

namespace user {

// Waits for input and returns the bytes read. 0: input is at its end, or there is none.
[[nodiscard]] std::int64_t read_input(std::span<char> buffer);
// False: this process has the console as its output, or the driver is gone.
[[nodiscard]] bool write_to_host(std::string_view text);
// Nanoseconds since 1970-01-01 UTC; from kernel entry on where there is no clock.
[[nodiscard]] std::uint64_t wall_clock();

}  // namespace user
