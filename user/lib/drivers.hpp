// The drivers' services as functions (user/drivers/services.hpp): terminal input and the wall
// clock.
#pragma once

#include <cstdint>
#include <span>

#include "kernel/abi/reprise.h"

namespace user {

// Waits for input and returns the bytes read. 0: input is at its end, or there is no terminal.
[[nodiscard]] std::int64_t read_terminal(std::span<char> buffer);
// Nanoseconds since 1970-01-01 UTC; from kernel entry on where there is no clock.
[[nodiscard]] std::uint64_t wall_clock();

}  // namespace user
