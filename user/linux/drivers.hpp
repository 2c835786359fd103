// The drivers' services for this process: terminal input and the wall clock. Without the driver
// input is at its end, and time counts from 1970.
#pragma once

#include <cstddef>
#include <cstdint>

#include "user/linux/native.hpp"

namespace personality {

enum class Wait : bool { No, Yes };

// Bytes read; 0: input is at its end; -REPRISE_WOULD_BLOCK, when it must not wait.
[[nodiscard]] native::Result read_input(char* buffer, std::size_t bytes, Wait wait);

[[nodiscard]] std::uint64_t wall_nanoseconds();  // since 1970-01-01 UTC

}  // namespace personality
