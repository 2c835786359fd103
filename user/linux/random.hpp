// Unpredictable bytes: ChaCha20 keyed from the kernel's entropy, so that a long read does not end a
// processing element for every seven bytes.
#pragma once

#include <cstdint>

#include "user/linux/user_memory.hpp"

namespace personality {

[[nodiscard]] bool fill_random(UserAddress to, std::uint64_t bytes);  // false: bad address

}  // namespace personality
