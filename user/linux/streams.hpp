// The standard streams of the process: the console, or a driver that takes them to the host that
// runs the machine (struct reprise_start, user/drivers/services.hpp).
#pragma once

#include <cstdint>

#include "user/linux/descriptors.hpp"

namespace personality {

// Whether 0, 1 and 2 go to the host.
[[nodiscard]] bool streams_are_served();

[[nodiscard]] Value read_stream(const OpenFile& file, UserAddress to, std::uint64_t bytes);
[[nodiscard]] Value write_stream(const OpenFile& file, UserAddress from, std::uint64_t bytes);

// True: a read would not wait.
[[nodiscard]] bool has_input(const OpenFile& file);
// Waits until has_input().
void wait_for_input(const OpenFile& file);
[[nodiscard]] std::uint64_t input_bytes_ready(const OpenFile& file);

}  // namespace personality
