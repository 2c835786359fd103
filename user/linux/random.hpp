// Unpredictable bytes from ChaCha20, keyed with the kernel's entropy. A long read thus ends few
// processing elements; the kernel's calls alone would end one for every seven bytes.
#pragma once

#include <cstdint>

#include "user/linux/user_memory.hpp"

namespace personality {

[[nodiscard]] bool fill_random(UserAddress to, std::uint64_t bytes);  // false: bad address

}  // namespace personality
